"""valgrind over the C tests and the C examples: no error, and after gigachat_shutdown no
definite, indirect or possible loss.

Suppressed is only what ring's assembly and a table of x509-parser make (memcheck.supp), by the names of
functions; so the library must have symbols, which the installed one has not.
"""

import concurrent.futures
import os
import shutil
import unittest

import support
import test_c

SUPPRESSIONS = support.ROOT / "tests" / "valgrind" / "memcheck.supp"
EXAMPLES = support.ROOT / "examples" / "c"
COMMAND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
           "--show-leak-kinds=definite,indirect,possible",
           "--errors-for-leak-kinds=definite,indirect,possible",
           "--num-callers=30", "--fair-sched=yes", f"--suppressions={SUPPRESSIONS}"]
SLOWNESS = "30"
# Two programs at once use the two cores; each has an emulator of its own, for its counters.
AT_ONCE = os.cpu_count() or 1


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Valgrind(unittest.TestCase):
    """One subtest a program."""

    def check(self, sources, options):
        library = test_c.debug_library()

        def judge(source):
            with support.Emulator(*options) as emulator:
                environment = dict(emulator.environment, GIGACHAT_TEST_SLOWNESS=SLOWNESS,
                                   GIGACHAT_TIMEOUT="120")
                program = test_c.compiled(source, library=library)
                return support.run([*COMMAND, program], env=environment, bound=1200)

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for source, done in zip(sources, pool.map(judge, sources)):
                with self.subTest(source.stem):
                    self.assertEqual(done.returncode, 0, done.stdout[-8000:])

    def test_the_c_tests(self):
        sources = [*test_c.programs().values(), test_c.TESTS / "panic.c"]
        self.check(sources, test_c.UNLIMITED)

    def test_the_c_examples(self):
        # many.c asks what stands in a file: test_examples runs it.
        self.check(sorted(source for source in EXAMPLES.glob("*.c") if source.stem != "many"), ())


if __name__ == "__main__":
    unittest.main()
