package io.github.libgigachat;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;

/** The future of a call. Cancelling it ends the call. */
final class Pending<T> extends CompletableFuture<T> {
    /** Gets the result of a call that has ended. */
    interface Take<T> {
        T of(long call) throws Throwable;
    }

    /** Begins a call. */
    interface Start {
        int with(MemorySegment out, MemorySegment error) throws Throwable;
    }

    // What is chained to a future must not run on the thread that wakes all calls.
    private static final Executor ELSEWHERE = ForkJoinPool.commonPool();

    private final long call;
    private final long tag;
    private final Take<T> take;
    private boolean freed;

    Pending(Start start, Take<T> take) {
        this.take = take;
        try (Scratch scratch = new Scratch()) {
            scratch.check(start.with(scratch.out, scratch.error));
            call = scratch.value();
            tag = Completions.watch(this::ended);
            int status = (int) Native.call_attach.invokeExact(call, Completions.QUEUE, tag, scratch.error);
            if (status != 0) {
                Completions.forget(tag);
                Native.call_free.invokeExact(call);
                throw scratch.failure(status);
            }
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    private void ended() {
        Completions.forget(tag);
        try {
            T result = take.of(call);
            ELSEWHERE.execute(() -> complete(result));
        } catch (Throwable why) {
            ELSEWHERE.execute(() -> completeExceptionally(why));
        } finally {
            free();
        }
    }

    /** A handle that is freed names nothing any more: a cancel that comes later is refused, not misled. */
    private synchronized void free() {
        try {
            freed = true;
            Native.call_free.invokeExact(call);
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        boolean cancelled = super.cancel(mayInterrupt);
        if (cancelled) {
            synchronized (this) {
                try {
                    if (!freed) {
                        int ignored = (int) Native.call_cancel.invokeExact(call, MemorySegment.NULL);
                    }
                } catch (Throwable why) {
                    throw Library.unexpected(why);
                }
            }
        }
        return cancelled;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
