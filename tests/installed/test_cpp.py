"""The C++ wrapper against the emulator: every program of tests/cpp, with gcc under the address and
undefined-behaviour sanitizers, and with clang as C++20 without RTTI.
"""

import unittest

from support import CPP_FLAGS, ROOT, Emulator, compile_program, need

PROGRAMS = sorted((ROOT / "tests" / "cpp").glob("*.cpp"))
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CPP20 = ["-std=c++20"] + [flag for flag in CPP_FLAGS if not flag.startswith("-std=")]


class Wrapper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A cancelled call is over here before the server knows; no test is about its limits.
        cls.emulator = Emulator("--concurrency", "0", "--no-rate-limit")
        cls.addClassCleanup(cls.emulator.__exit__)

    def passes(self, program):
        done = self.emulator.run([program])
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(" ... ok\n", done.stdout)

    def test_there_are_programs(self):
        names = {program.stem for program in PROGRAMS}
        self.assertLessEqual({"errors", "streams", "calls", "futures", "ownership", "router", "own_provider"}, names)

    def test_every_program_passes_under_sanitizers(self):
        need("g++", "g++")
        for source in PROGRAMS:
            with self.subTest(source.stem):
                self.passes(compile_program(source, CPP_FLAGS + SANITIZERS, compiler="g++"))

    def test_every_program_passes_with_clang_without_rtti(self):
        need("clang++", "clang")
        for source in PROGRAMS:
            with self.subTest(source.stem):
                self.passes(compile_program(source, CPP20 + ["-fno-rtti"], compiler="clang++"))


if __name__ == "__main__":
    unittest.main()
