package io.github.libgigachat;

import static io.github.libgigachat.Library.L;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** The process's one completion queue, and the daemon thread that takes from it. It only wakes who waits. */
final class Completions {
    private static final ConcurrentHashMap<Long, Runnable> WAITING = new ConcurrentHashMap<>();
    private static final AtomicLong LAST = new AtomicLong();
    private static final int TAGS = 256;
    static final long QUEUE = open();

    private Completions() {}

    private static long open() {
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) Native.queue_new.invokeExact(scratch.out, scratch.error));
            Thread.ofPlatform().daemon().name("gigachat-completions").start(Completions::take);
            return scratch.value();
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /** A tag; what is to be done when it comes. It must be short: all calls wait for it. */
    static long watch(Runnable woken) {
        long tag = LAST.incrementAndGet();
        WAITING.put(tag, woken);
        return tag;
    }

    static void forget(long tag) {
        WAITING.remove(tag);
    }

    private static void take() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tags = arena.allocate(L, TAGS);
            MemorySegment count = arena.allocate(L);
            while (true) {
                int status = (int) Native.queue_take.invokeExact(
                    QUEUE, 1000L, tags, (long) TAGS, count, MemorySegment.NULL);
                if (status > 2) {
                    Thread.sleep(10); // a queue that cannot be waited on must not spin
                }
                for (long i = 0; i < count.get(L, 0); i++) {
                    Runnable woken = WAITING.get(tags.getAtIndex(L, i));
                    if (woken != null) {
                        woken.run();
                    }
                }
            }
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }
}
