package io.github.libgigachat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;

/** The native library: where it is, and how values cross to it. */
final class Library {
    static final ValueLayout.OfInt I = ValueLayout.JAVA_INT;
    static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG;
    static final ValueLayout.OfDouble D = ValueLayout.JAVA_DOUBLE;
    static final ValueLayout.OfBoolean B = ValueLayout.JAVA_BOOLEAN;
    static final AddressLayout P = ValueLayout.ADDRESS;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = open();

    private Library() {}

    /** What the property gigachat.library names, the native jar's library, or the system's. */
    private static SymbolLookup open() {
        String named = System.getProperty("gigachat.library", System.getenv("GIGACHAT_LIBRARY"));
        if (named != null) {
            return SymbolLookup.libraryLookup(Path.of(named), Arena.global());
        }
        String system = System.getProperty("os.name").toLowerCase().startsWith("windows") ? "windows" : "linux";
        String file = system.equals("windows") ? "gigachat-0.dll" : "libgigachat.so.0";
        String resource = "/natives/" + system + "-" + System.getProperty("os.arch") + "/" + file;
        try (InputStream packed = Library.class.getResourceAsStream(resource)) {
            if (packed != null) {
                Path folder = Files.createTempDirectory("gigachat");
                Path unpacked = folder.resolve(file);
                Files.copy(packed, unpacked, StandardCopyOption.REPLACE_EXISTING);
                SymbolLookup symbols = SymbolLookup.libraryLookup(unpacked, Arena.global());
                // It is mapped: where files can be removed while they are in use, nothing is left behind.
                unpacked.toFile().delete();
                folder.toFile().delete();
                return symbols;
            }
        } catch (IOException why) {
            throw new IllegalStateException("the native library cannot be unpacked: " + why.getMessage(), why);
        }
        try {
            return SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException why) {
            throw new IllegalStateException(file + " cannot be loaded: add the native jar of this platform, or set"
                + " the property gigachat.library to the library's path", why);
        }
    }

    static MethodHandle function(String name, MemoryLayout result, MemoryLayout... takes) {
        FunctionDescriptor descriptor =
            result == null ? FunctionDescriptor.ofVoid(takes) : FunctionDescriptor.of(result, takes);
        MemorySegment address = SYMBOLS.find(name).orElseThrow(
            () -> new IllegalStateException(name + " is not in the native library: it is older than this package"));
        return LINKER.downcallHandle(address, descriptor);
    }

    /** A function pointer to a static method of a class, for the time of the process. */
    static MemorySegment callback(MethodHandles.Lookup of, String name, FunctionDescriptor takes) {
        try {
            MethodHandle method = of.findStatic(of.lookupClass(), name, takes.toMethodType());
            return LINKER.upcallStub(method, takes, Arena.global());
        } catch (ReflectiveOperationException why) {
            throw new IllegalStateException(why);
        }
    }

    /** What a call of a method handle throws that is none of ours. */
    static RuntimeException unexpected(Throwable why) {
        if (why instanceof RuntimeException runtime) {
            return runtime;
        }
        if (why instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(why);
    }

    /** A text in native memory, with its length as size. */
    static MemorySegment utf8(Arena arena, String text) {
        return arena.allocateFrom(B8, text.getBytes(StandardCharsets.UTF_8));
    }

    private static final ValueLayout.OfByte B8 = ValueLayout.JAVA_BYTE;

    /** A text that a handle lends, copied; null when there is none. */
    static String text(MethodHandle get, long handle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(L);
            MemorySegment text = (MemorySegment) get.invokeExact(handle, length);
            if (text.address() == 0) {
                return null;
            }
            return new String(text.reinterpret(length.get(L, 0)).toArray(B8), StandardCharsets.UTF_8);
        } catch (Throwable why) {
            throw unexpected(why);
        }
    }

    /** A text that ends with a NUL, copied. */
    static String string(MemorySegment text) {
        return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** A time as the library reads it. */
    static String seconds(Duration time) {
        return BigDecimal.valueOf(time.toNanos()).movePointLeft(9).toPlainString();
    }
}
