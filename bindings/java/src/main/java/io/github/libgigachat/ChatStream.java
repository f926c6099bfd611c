package io.github.libgigachat;

import java.lang.ref.Cleaner;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * An answer that is read part by part, by one thread: {@code for (Event event : stream)}. Closing it cancels it.
 * A stream that breaks throws after everything that had arrived. Waiting suits virtual threads: no thread is
 * blocked in native code.
 */
public final class ChatStream implements AutoCloseable, Iterable<Event> {
    private static final int OK = 0;
    private static final int STREAM_END = 1;
    private static final int NOT_YET = 2;

    /** What outlives a stream that nobody holds. */
    private record State(long handle, long tag) implements Runnable {
        @Override
        public void run() {
            Completions.forget(tag);
            try {
                Native.stream_free.invokeExact(handle);
            } catch (Throwable why) {
                throw Library.unexpected(why);
            }
        }
    }

    private final State state;
    private final Semaphore ready;
    private final Cleaner.Cleanable cleanable;
    private Response response;

    ChatStream(long handle) {
        // What the table of waiters holds must not hold the stream, or it is never collected.
        Semaphore ready = new Semaphore(0);
        this.ready = ready;
        state = new State(handle, Completions.watch(ready::release));
        cleanable = Provider.CLEANER.register(this, state);
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) Native.stream_attach.invokeExact(handle, Completions.QUEUE, state.tag, scratch.error));
        } catch (Throwable why) {
            close();
            throw Library.unexpected(why);
        }
    }

    /**
     * Waits for the next event.
     *
     * @return the event; null when the answer is complete
     * @throws InterruptedException when the thread is interrupted; the stream is cancelled
     */
    public Event next() throws InterruptedException {
        try (Scratch scratch = new Scratch()) {
            while (true) {
                int status = (int) Native.stream_next.invokeExact(state.handle, 0L, scratch.out, scratch.error);
                switch (status) {
                    case OK:
                        return Event.of(scratch.value());
                    case STREAM_END:
                        if (response == null) {
                            scratch.check((int) Native.stream_response.invokeExact(
                                state.handle, scratch.out, scratch.error));
                            response = Response.of(scratch.value());
                        }
                        return null;
                    case NOT_YET:
                        ready.acquire();
                        ready.drainPermits();
                        break;
                    default:
                        throw scratch.failure(status);
                }
            }
        } catch (InterruptedException why) {
            close();
            throw why;
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /**
     * The whole answer.
     *
     * @return the answer; null before the stream has ended
     */
    public Response response() {
        return response;
    }

    /** Ends the stream now, from any thread; the reader gets a CancelledException. */
    public void cancel() {
        try (Scratch scratch = new Scratch()) {
            int ignored = (int) Native.stream_cancel.invokeExact(state.handle, scratch.error);
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /** The events that are still to come; an interrupt ends them with an IllegalStateException. */
    @Override
    public Iterator<Event> iterator() {
        return new Iterator<>() {
            private Event coming;

            @Override
            public boolean hasNext() {
                try {
                    coming = coming == null ? ChatStream.this.next() : coming;
                } catch (InterruptedException why) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException("interrupted", why);
                }
                return coming != null;
            }

            @Override
            public Event next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Event event = coming;
                coming = null;
                return event;
            }
        };
    }

    /**
     * The events as a stream of Java's; closing it closes this one.
     *
     * @return the events
     */
    public Stream<Event> events() {
        int traits = Spliterator.ORDERED | Spliterator.NONNULL;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), traits), false).onClose(this::close);
    }

    @Override
    public void close() {
        cleanable.clean();
    }
}
