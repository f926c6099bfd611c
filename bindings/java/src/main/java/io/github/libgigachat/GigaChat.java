package io.github.libgigachat;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A client of the service. It keeps connections, the access token and the permits of its credential: make one,
 * share it between threads.
 *
 * <pre>{@code
 * try (GigaChat client = GigaChat.fromEnv()) {
 *     System.out.println(client.generate("What is Java?"));
 * }
 * }</pre>
 */
public final class GigaChat extends Provider {
    /**
     * A client with options.
     *
     * @param options how it is configured
     */
    public GigaChat(Options options) {
        super(made(Native.config_new, options));
    }

    private GigaChat(long handle) {
        super(handle);
    }

    /**
     * A client from the GIGACHAT_* variables.
     *
     * @return the client
     */
    public static GigaChat fromEnv() {
        return fromEnv(new Options());
    }

    /**
     * A client from the GIGACHAT_* variables; options go before them.
     *
     * @param options how it is configured otherwise
     * @return the client
     */
    public static GigaChat fromEnv(Options options) {
        return new GigaChat(made(Native.config_from_env, options));
    }

    private static long made(MethodHandle begin, Options options) {
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) begin.invokeExact(scratch.out, scratch.error));
            long config = scratch.value();
            try {
                scratch.setAll(Native.config_set, config, options.values());
                scratch.check((int) Native.provider_new.invokeExact(config, scratch.out, scratch.error));
                return scratch.value();
            } finally {
                Native.config_free.invokeExact(config);
            }
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /**
     * The native library's version.
     *
     * @return such as 0.1.0
     */
    public static String version() {
        try {
            MemorySegment text = (MemorySegment) Native.version.invokeExact();
            return text.reinterpret(64).getString(0);
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /**
     * How many objects of the library this process holds, to find leaks.
     *
     * @return the number
     */
    public static long liveHandles() {
        try {
            // One is the package's own queue.
            long own = Completions.QUEUE == 0 ? 0 : 1;
            return (long) Native.live_handles.invokeExact() - own;
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }
}
