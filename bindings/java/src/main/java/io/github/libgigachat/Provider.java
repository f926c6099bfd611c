package io.github.libgigachat;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Who answers: a {@link GigaChat} client, or a {@link Router} over several. For any number of threads. */
public abstract sealed class Provider implements AutoCloseable permits GigaChat, Router, CustomProvider {
    static final Cleaner CLEANER = Cleaner.create();

    final long handle;
    private final Cleaner.Cleanable cleanable;

    /** Frees what nobody holds any more. */
    private record Free(long handle) implements Runnable {
        @Override
        public void run() {
            try {
                Native.provider_free.invokeExact(handle);
            } catch (Throwable why) {
                throw Library.unexpected(why);
            }
        }
    }

    Provider(long handle) {
        this.handle = handle;
        cleanable = CLEANER.register(this, new Free(handle));
    }

    /**
     * How the generations of this credential are limited.
     *
     * @param limit how many may run at once; 0 is no limit
     * @param held how many run
     * @param heldByStreams how many of them are streams
     * @param waiting how many calls wait for one
     */
    public record Permits(int limit, int held, int heldByStreams, long waiting) {}

    /**
     * Answers a prompt with a text.
     *
     * @param prompt the prompt
     * @return the text
     * @throws InterruptedException when the thread is interrupted; the call is cancelled
     */
    public String generate(String prompt) throws InterruptedException {
        return chat(Request.of(prompt)).text();
    }

    /**
     * Answers a request as a whole.
     *
     * @param request the request
     * @return the answer
     * @throws InterruptedException when the thread is interrupted; the call is cancelled
     */
    public Response chat(Request request) throws InterruptedException {
        return join(chatAsync(request));
    }

    /**
     * Begins to answer a request. Cancelling the future ends the call.
     *
     * @param request the request
     * @return the answer to come
     */
    public CompletableFuture<Response> chatAsync(Request request) {
        return perform(request.build());
    }

    /** Begins to answer a request, which is freed. */
    private CompletableFuture<Response> perform(long request) {
        try {
            return new Pending<>(
                (out, error) -> (int) Native.start.invokeExact(handle, request, out, error),
                call -> {
                    try (Scratch scratch = new Scratch()) {
                        scratch.check((int) Native.call_take.invokeExact(call, scratch.out, scratch.error));
                        return Response.of(scratch.value());
                    }
                });
        } finally {
            free(request);
        }
    }

    /**
     * Answers a request part by part.
     *
     * @param request the request
     * @return the stream; close it
     */
    public ChatStream stream(Request request) {
        long asked = request.build();
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) Native.open.invokeExact(handle, asked, scratch.out, scratch.error));
            return new ChatStream(scratch.value());
        } catch (Throwable why) {
            throw Library.unexpected(why);
        } finally {
            free(asked);
        }
    }

    /**
     * Asks whether the service can serve.
     *
     * @return how long that took
     * @throws InterruptedException when the thread is interrupted
     */
    public Duration healthCheck() throws InterruptedException {
        return join(perform(Request.named("health"))).timings().total();
    }

    /**
     * How the generations of this credential are limited.
     *
     * @return limit and use
     */
    public Permits permits() {
        try (Scratch scratch = new Scratch()) {
            MemorySegment counts = scratch.arena.allocate(Library.I, 3);
            MemorySegment waiting = scratch.arena.allocate(Library.L);
            scratch.check((int) Native.provider_permits.invokeExact(handle, counts, counts.asSlice(4),
                counts.asSlice(8), waiting, scratch.error));
            return new Permits(counts.getAtIndex(Library.I, 0), counts.getAtIndex(Library.I, 1),
                counts.getAtIndex(Library.I, 2), waiting.get(Library.L, 0));
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /** Frees the provider; calls that run go on. */
    @Override
    public void close() {
        cleanable.clean();
    }

    private static void free(long request) {
        try {
            Native.request_free.invokeExact(request);
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    private static <T> T join(CompletableFuture<T> pending) throws InterruptedException {
        try {
            return pending.get();
        } catch (InterruptedException why) {
            pending.cancel(true);
            throw why;
        } catch (ExecutionException why) {
            throw Library.unexpected(why.getCause());
        }
    }
}
