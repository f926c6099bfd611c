package io.github.libgigachat;

import static io.github.libgigachat.Library.I;
import static io.github.libgigachat.Library.L;
import static io.github.libgigachat.Library.P;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;

/** Sends the library's records to the platform's logging. */
public final class Log {
    private static final MemorySegment RECORD =
        Library.callback(MethodHandles.lookup(), "record", FunctionDescriptor.ofVoid(L, I, P, P));

    private static volatile System.Logger logger;

    private Log() {}

    /**
     * Sends records of this level and above to a logger, for the whole process. Secrets never occur in records;
     * prompts and answers only if the options ask for it.
     *
     * @param to the logger; null ends that
     * @param level the least level
     */
    public static void to(System.Logger to, System.Logger.Level level) {
        logger = to;
        int wanted = to == null ? 0 : switch (level) {
            case OFF -> 0;
            case ERROR -> 1;
            case WARNING -> 2;
            case INFO -> 3;
            case DEBUG -> 4;
            case TRACE, ALL -> 5;
        };
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) Native.set_log_callback.invokeExact(
                wanted, RECORD, MemorySegment.NULL, MemorySegment.NULL, scratch.error));
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    @SuppressWarnings("unused") // called by the library, which must not see an exception
    private static void record(long data, int level, MemorySegment target, MemorySegment message) {
        try {
            System.Logger to = logger;
            if (to != null) {
                to.log(severity(level), Library.string(target) + ": " + Library.string(message));
            }
        } catch (Throwable lost) {
            // A logger that fails costs its record.
        }
    }

    private static System.Logger.Level severity(int level) {
        return switch (level) {
            case 1 -> System.Logger.Level.ERROR;
            case 2 -> System.Logger.Level.WARNING;
            case 3 -> System.Logger.Level.INFO;
            case 4 -> System.Logger.Level.DEBUG;
            default -> System.Logger.Level.TRACE;
        };
    }
}
