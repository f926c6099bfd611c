"""The C ABI as C programs know it: every tests/c/*.c is a test, its exit status the verdict.

The programs are compiled twice: plainly, and by gcc with AddressSanitizer (leak detection on) and
UndefinedBehaviorSanitizer, the library itself uninstrumented.
"""

import os
import pathlib
import subprocess
import unittest

import support

TESTS = support.ROOT / "tests" / "c"
# What a test may see of the service is not limited: that is tested elsewhere.
UNLIMITED = ("--concurrency", "0", "--no-rate-limit")
SANITIZED = [*support.C_FLAGS, "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
             "-fno-omit-frame-pointer"]


def misuse_of_every_function():
    """The program that tests/c/every_function.py makes of the installed header."""
    made = support.scratch("every_function.c")
    if not made.exists():
        done = subprocess.run(
            ["python3", TESTS / "every_function.py", support.INCLUDE / "gigachat.h"],
            stdout=subprocess.PIPE, text=True, check=True, timeout=support.BOUND)
        made.write_text(done.stdout)
    return made


def programs():
    """Every test, by its name; panic.c needs a library of its own."""
    found = {path.stem: path for path in sorted(TESTS.glob("*.c")) if path.stem != "panic"}
    found["every_function"] = misuse_of_every_function()
    return found


def compiled(source, flags=None, library=None):
    """`library` is a folder with another libgigachat than the installed one."""
    flags = [*(flags or support.C_FLAGS), f"-I{TESTS}"]
    other = library and [f"-L{library}", "-lgigachat", f"-Wl,-rpath,{library}", "-pthread"]
    return support.compile_program(source, flags=flags, libraries=other)


def debug_library():
    """The folder of a library that has symbols, for valgrind, and hooks that provoke panics.

    `GIGACHAT_DEBUG_LIBRARY` is such a library; without it one is built.
    """
    built = os.environ.get("GIGACHAT_DEBUG_LIBRARY")
    if not built:
        # The same sources in a package whose artefact has another name, so that it shares the
        # workspace's dependencies and overwrites no library.
        subprocess.run(
            ["cargo", "rustc", "--quiet", "--package", "gigachat-c-library", "--lib", "--crate-type", "cdylib",
             "--features", "test-hooks", "--", "-Clink-arg=-Wl,-soname,libgigachat.so.0",
             "-Clink-arg=-Wl,-z,nodelete"],
            cwd=support.ROOT, check=True, timeout=1800)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
        built = support.ROOT / target / "debug" / "libgigachat_c.so"
    folder = support.scratch("debug-library")
    folder.mkdir(exist_ok=True)
    for name in ("libgigachat.so", "libgigachat.so.0"):
        link = folder / name
        if not link.exists():
            link.symlink_to(built)
    return folder


class CPrograms(unittest.TestCase):
    """Each program passes, and prints how many checks it made."""

    @classmethod
    def setUpClass(cls):
        cls.emulator = support.Emulator(*UNLIMITED)
        cls.addClassCleanup(cls.emulator.__exit__)

    def passes(self, program, **more):
        environment = dict(self.emulator.environment, **more)
        done = support.run([program], env=environment)
        self.assertEqual(done.returncode, 0, f"{program.name}:\n{done.stdout[-4000:]}")
        self.assertRegex(done.stdout, r"(?m)^[1-9]\d* passed, 0 failed$")
        return done.stdout

    def test_every_program_passes(self):
        for name, source in programs().items():
            with self.subTest(name):
                output = self.passes(compiled(source))
                for line in output.splitlines():
                    if line.startswith("cancel of"):
                        print(f"\n  {line}")

    def test_every_program_passes_with_sanitizers(self):
        for name, source in programs().items():
            with self.subTest(name):
                # gcc would need a minute to instrument the generated one; valgrind reads it.
                if name == "every_function":
                    continue
                program = compiled(source, SANITIZED)
                symbols = support.run(["nm", program]).stdout
                self.assertIn("__asan_init", symbols)
                self.passes(program, ASAN_OPTIONS="detect_leaks=1",
                            GIGACHAT_TEST_SLOWNESS="3")


class Panic(unittest.TestCase):
    def test_a_panic_is_a_status_and_the_library_goes_on(self):
        program = compiled(TESTS / "panic.c", library=debug_library())
        with support.Emulator(*UNLIMITED) as emulator:
            done = emulator.run([program])
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        # Nothing else: standard error is the program's.
        self.assertRegex(done.stdout, r"\A[1-9]\d* passed, 0 failed\n\Z")


if __name__ == "__main__":
    unittest.main()
