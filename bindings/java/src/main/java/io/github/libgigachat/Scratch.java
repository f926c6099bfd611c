package io.github.libgigachat;

import static io.github.libgigachat.Library.L;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/** Room for a function's results: a value and an error. */
final class Scratch implements AutoCloseable {
    final Arena arena = Arena.ofConfined();
    final MemorySegment out = arena.allocate(L);
    final MemorySegment error = arena.allocate(L);

    /** The value that the last function gave. */
    long value() {
        return out.get(L, 0);
    }

    /** Throws what the status and the error say, unless the status is 0. */
    void check(int status) {
        if (status != 0) {
            throw failure(status);
        }
    }

    /** Sets options by name. A value that is refused is told of by the function that uses the options next. */
    void setAll(MethodHandle set, long handle, Map<String, String> options) throws Throwable {
        for (Map.Entry<String, String> option : options.entrySet()) {
            MemorySegment name = Library.utf8(arena, option.getKey());
            MemorySegment value = Library.utf8(arena, option.getValue());
            int ignored = (int) set.invokeExact(handle, name, name.byteSize(), value, value.byteSize());
        }
    }

    GigaChatException failure(int status) {
        return GigaChatException.of(status, error.get(L, 0));
    }

    @Override
    public void close() {
        arena.close();
    }
}
