"""The C and C++ tests and the hammer under the address and leak sanitizers, the library compiled
with them, too.

`tools/proof/address_sanitizer.sh` builds that library and says where it is: `GIGACHAT_PREFIX`,
`GIGACHAT_EMULATOR`, and `GIGACHAT_SANITIZER`, the Rust toolchain's runtime of the sanitizer. With
one runtime for all, the C compiler's own must not be linked. What the tests are, and that they
also pass against the installed library, is the business of tests/installed.
"""

import os
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "installed"))

import support  # noqa: E402
import test_c  # noqa: E402
import test_cpp  # noqa: E402

RUNTIME = os.environ["GIGACHAT_SANITIZER"]
WATCHED = ["-fsanitize=address", "-fno-omit-frame-pointer"]
# The library takes the runtime from the program: hence -rdynamic.
LINKED = ["-rdynamic", "-Wl,--whole-archive", RUNTIME, "-Wl,--no-whole-archive",
          *support.SHARED, "-pthread", "-ldl", "-lrt", "-lm"]
OPTIONS = {"ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:allow_addr2line=1",
           "GIGACHAT_TEST_SLOWNESS": "3"}
C_VERDICT = r"(?m)^([1-9]\d*) passed, 0 failed$"
# The generated misuse of every function takes minutes to compile with the sanitizer; the library
# that it misuses is watched all the same.
UNWATCHED = {"every_function"}


def compiled(source, name=None):
    is_cpp = source.suffix == ".cpp"
    flags = [*(support.CPP_FLAGS if is_cpp else support.C_FLAGS), f"-I{test_c.TESTS}", "-c"]
    if (name or source.stem) not in UNWATCHED:
        flags += WATCHED
    program = support.compile_program(source, flags, libraries=[])
    # Not linked with -fsanitize, which would add the compiler's runtime.
    unlinked = program.rename(program.with_suffix(".o"))
    done = support.run(["g++" if is_cpp else "gcc", unlinked, "-o", program, *LINKED])
    if done.returncode != 0:
        raise AssertionError(done.stdout)
    symbols = support.run(["nm", program]).stdout
    if " __asan_init" not in symbols or " __lsan_do_leak_check" not in symbols:
        raise AssertionError(f"{source}: the sanitizer is not linked in")
    return program


class Faults(unittest.TestCase):
    """What is planted in the library's Rust code is found there."""

    def finds(self, fault, report):
        program = compiled(ROOT / "tests" / "sanitizers" / "fault.c")
        done = support.run([program, str(fault)], env={**os.environ, **OPTIONS})
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, f"(?s){report}.*gigachat__test_fault")

    def test_a_read_of_freed_memory_is_found(self):
        self.finds(1, "AddressSanitizer: heap-use-after-free")

    def test_a_leak_is_found(self):
        self.finds(2, "LeakSanitizer: detected memory leaks")


class Programs(unittest.TestCase):
    """Each program passes and the sanitizers say nothing."""

    passed = 0
    checks = 0

    @classmethod
    def setUpClass(cls):
        cls.emulator = support.Emulator(*test_c.UNLIMITED)
        cls.addClassCleanup(cls.emulator.__exit__)

    @classmethod
    def tearDownClass(cls):
        print(f"\n{cls.passed} programs with {cls.checks} checks")

    def passes(self, source, verdict, name=None, arguments=()):
        with self.subTest(name or source.stem):
            program = compiled(source, name)
            done = support.run([program, *arguments], env={**self.emulator.environment, **OPTIONS})
            self.assertEqual(done.returncode, 0, done.stdout[-8000:])
            found = re.findall(verdict, done.stdout)
            self.assertTrue(found, done.stdout[-4000:])
            Programs.passed += 1
            Programs.checks += sum(int(count) for count in found if count.isdigit()) or len(found)

    def test_the_c_programs(self):
        programs = {**test_c.programs(), "panic": test_c.TESTS / "panic.c"}
        for name, source in programs.items():
            self.passes(source, C_VERDICT, name)

    def test_the_hammer(self):
        hammer = ROOT / "tests" / "hammer" / "hammer.c"
        self.passes(hammer, C_VERDICT, arguments=["10"])

    def test_the_cpp_programs(self):
        self.assertTrue(test_cpp.PROGRAMS)
        for source in test_cpp.PROGRAMS:
            self.passes(source, r"(?m) \.\.\. ok$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
