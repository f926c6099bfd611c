package io.github.libgigachat;

import static io.github.libgigachat.Library.L;
import static io.github.libgigachat.Library.P;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A provider that the program answers itself, to be used or to be a member of routers. */
public final class CustomProvider extends Provider {
    // User data is a number: the library never follows it.
    private static final ConcurrentHashMap<Long, Object> KEPT = new ConcurrentHashMap<>();
    private static final AtomicLong LAST = new AtomicLong();

    private static final FunctionDescriptor ASKED = FunctionDescriptor.ofVoid(L, P, L);
    private static final FunctionDescriptor TOLD = FunctionDescriptor.ofVoid(L);
    private static final MethodHandles.Lookup HERE = MethodHandles.lookup();
    private static final MemorySegment GENERATE = Library.callback(HERE, "generate", ASKED);
    private static final MemorySegment STREAM = Library.callback(HERE, "stream", ASKED);
    private static final MemorySegment HEALTH = Library.callback(HERE, "healthCheck", ASKED);
    private static final MemorySegment CANCELLED = Library.callback(HERE, "cancelled", TOLD);
    private static final MemorySegment DESTROY = Library.callback(HERE, "destroy", TOLD);

    /** What answers one request, through its reply. */
    private interface Work {
        void run(Answerer answerer, long reply) throws Throwable;
    }

    /**
     * A provider.
     *
     * @param name its name in logs, metrics and router reports
     * @param answerer what answers
     */
    public CustomProvider(String name, Answerer answerer) {
        super(made(name, answerer));
    }

    private static long made(String name, Answerer answerer) {
        try (Scratch scratch = new Scratch()) {
            MemorySegment text = Library.utf8(scratch.arena, name);
            scratch.check((int) Native.custom_options_new.invokeExact(
                text, text.byteSize(), scratch.out, scratch.error));
            long options = scratch.value();
            long kept = keep(answerer);
            try {
                // A callback that is refused is told of by custom_new.
                int generate = (int) Native.custom_options_set_generate.invokeExact(options, GENERATE);
                int stream = (int) Native.custom_options_set_stream.invokeExact(options, STREAM);
                int health = (int) Native.custom_options_set_health_check.invokeExact(options, HEALTH);
                scratch.check((int) Native.custom_new.invokeExact(
                    options, MemorySegment.ofAddress(kept), DESTROY, scratch.out, scratch.error));
                return scratch.value();
            } catch (Throwable why) {
                KEPT.remove(kept);
                throw why;
            } finally {
                Native.custom_options_free.invokeExact(options);
            }
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    private static long keep(Object what) {
        long number = LAST.incrementAndGet();
        KEPT.put(number, what);
        return number;
    }

    @SuppressWarnings("unused") // called by the library
    private static void generate(long data, MemorySegment request, long reply) {
        String asked = Library.string(request);
        begin(data, reply, (answerer, to) -> finish(to, answerer.generate(asked)));
    }

    @SuppressWarnings("unused") // called by the library
    private static void stream(long data, MemorySegment request, long reply) {
        String asked = Library.string(request);
        begin(data, reply, (answerer, to) -> {
            answerer.stream(asked, piece -> push(to, piece));
            finish(to, "");
        });
    }

    @SuppressWarnings("unused") // called by the library
    private static void healthCheck(long data, MemorySegment request, long reply) {
        begin(data, reply, (answerer, to) -> {
            answerer.healthCheck();
            finish(to, "");
        });
    }

    @SuppressWarnings("unused") // called by the library
    private static void cancelled(long data) {
        if (KEPT.get(data) instanceof Thread thread) {
            thread.interrupt();
        }
    }

    @SuppressWarnings("unused") // called by the library
    private static void destroy(long data) {
        KEPT.remove(data);
    }

    /** Answers on a virtual thread, since the library's callback must return at once. Nothing may be thrown. */
    private static void begin(long data, long reply, Work work) {
        Answerer answerer = (Answerer) KEPT.get(data);
        Thread.ofVirtual().name("gigachat-answerer").start(() -> {
            long me = keep(Thread.currentThread());
            try {
                int status = (int) Native.reply_on_cancel.invokeExact(
                    reply, CANCELLED, MemorySegment.ofAddress(me), DESTROY, MemorySegment.NULL);
                if (status != 0) {
                    KEPT.remove(me);
                }
                try {
                    work.run(answerer, reply);
                } catch (Throwable why) {
                    fail(reply, why);
                }
                Native.reply_free.invokeExact(reply);
            } catch (Throwable why) {
                throw Library.unexpected(why);
            }
        });
    }

    private static void push(long reply, String piece) {
        try (Scratch scratch = new Scratch()) {
            MemorySegment text = Library.utf8(scratch.arena, piece);
            scratch.check((int) Native.reply_push.invokeExact(reply, text, text.byteSize(), scratch.error));
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    private static void finish(long reply, String answer) throws Throwable {
        try (Scratch scratch = new Scratch()) {
            MemorySegment text = Library.utf8(scratch.arena, answer);
            scratch.check((int) Native.reply_finish.invokeExact(
                reply, text, text.byteSize(), MemorySegment.NULL, 0L, scratch.error));
        }
    }

    private static void fail(long reply, Throwable why) throws Throwable {
        int status = why instanceof GigaChatException known ? known.status() : Native.ERROR_INTERNAL;
        long wait = why instanceof GigaChatException known
            ? known.retryAfter().map(time -> time.toMillis()).orElse(-1L) : -1L;
        try (Scratch scratch = new Scratch()) {
            MemorySegment text = Library.utf8(scratch.arena, String.valueOf(why.getMessage()));
            int ignored = (int) Native.reply_fail.invokeExact(
                reply, status, text, text.byteSize(), wait, MemorySegment.NULL);
        }
    }
}
