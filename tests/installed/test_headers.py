"""The installed headers compile without a warning in every language version that they promise,
with gcc and clang: each alone, and twice in one program.
"""

import itertools
import pathlib
import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import INCLUDE, ROOT, SHARED, need, run, scratch

C_COMPILERS = [("gcc", "gcc"), ("clang", "clang")]
CPP_COMPILERS = [("g++", "g++"), ("clang++", "clang")]
C_STANDARDS = ["c99", "c11", "c2x"]
CPP_STANDARDS = ["c++11", "c++14", "c++17", "c++20"]
WRAPPER_STANDARDS = ["c++17", "c++20"]

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wconversion", "-Werror"]
STRICT_C = STRICT + ["-Wstrict-prototypes", "-Wmissing-prototypes"]

# Two units of one program, each with every header twice; both make use of it.
FIRST = """
{includes}
{includes}
const char *other_version(void);
int main(void) {{ return gigachat_version() == other_version() ? 0 : 1; }}
"""
SECOND = """
{includes}
{includes}
const char *other_version(void);
const char *other_version(void) {{ return gigachat_version(); }}
"""

WRAPPER = ["gigachat.hpp"] + sorted(f"gigachat/{path.name}" for path in (INCLUDE / "gigachat").glob("*.hpp"))


def write(name, text):
    path = scratch(name)
    path.write_text(text)
    return path


def all_pass(test, compilations):
    """Runs labelled compilations side by side; names each one that fails."""
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda item: (item[0], run(item[1])), compilations))
    test.assertTrue(results)
    for label, done in results:
        with test.subTest(label):
            test.assertEqual(done.returncode, 0, f"{' '.join(map(str, done.args))}\n{done.stdout}")


class Headers(unittest.TestCase):
    def matrix(self, compilers, standards):
        for (compiler, package), standard in itertools.product(compilers, standards):
            need(compiler, package)
            yield compiler, standard

    def test_each_header_compiles_alone_in_every_standard(self):
        cases = [
            (C_COMPILERS, C_STANDARDS, "gigachat.h", "alone.c", STRICT_C),
            (CPP_COMPILERS, CPP_STANDARDS, "gigachat.h", "alone.cpp", STRICT),
            (CPP_COMPILERS, WRAPPER_STANDARDS, "gigachat.hpp", "without-rtti.cpp", STRICT + ["-fno-rtti"]),
        ]
        for header in WRAPPER:
            name = header.replace("/", "-") + ".cpp"
            cases.append((CPP_COMPILERS, WRAPPER_STANDARDS, header, name, STRICT))
        compilations = []
        for compilers, standards, header, name, flags in cases:
            source = write(name, f"#include <{header}>\n")
            for compiler, standard in self.matrix(compilers, standards):
                command = [compiler, f"-std={standard}", *flags, f"-I{INCLUDE}", "-fsyntax-only", source]
                compilations.append((f"{header} {' '.join(command[:2])}", command))
        all_pass(self, compilations)

    def test_the_headers_can_be_in_two_units_of_one_program(self):
        cases = [
            (C_COMPILERS, C_STANDARDS, ["gigachat.h"], "c", STRICT_C),
            (CPP_COMPILERS, CPP_STANDARDS, ["gigachat.h"], "cpp", STRICT),
            (CPP_COMPILERS, WRAPPER_STANDARDS, [*WRAPPER, "gigachat.h"], "cpp", STRICT),
            (CPP_COMPILERS, WRAPPER_STANDARDS, [*reversed(WRAPPER), "gigachat.h"], "cpp", STRICT),
        ]
        compilations, programs = [], []
        for number, (compilers, standards, headers, suffix, flags) in enumerate(cases):
            includes = "\n".join(f"#include <{header}>" for header in headers)
            units = [
                write(f"unit{number}-{part}.{suffix}", text.format(includes=includes))
                for part, text in enumerate([FIRST, SECOND])
            ]
            for compiler, standard in self.matrix(compilers, standards):
                program = scratch(f"two-units-{number}-{compiler}-{standard}")
                command = [compiler, f"-std={standard}", *flags, f"-I{INCLUDE}", *units, "-o", program]
                compilations.append((f"{headers[0]} first, {compiler} {standard}", command + SHARED + ["-pthread"]))
                programs.append(program)
        all_pass(self, compilations)
        for program in programs:
            with self.subTest(program.name):
                self.assertEqual(run([program]).returncode, 0)

    def test_the_wrapper_reaches_every_function(self):
        functions = re.compile(r"\bgigachat_\w+(?=\()")
        declared = set(functions.findall(code(INCLUDE / "gigachat.h")))
        mentioned = set(re.findall(r"\bgigachat_\w+", wrapper()))
        self.assertGreater(len(declared), 100)
        # An exception is made with its status.
        self.assertEqual(declared - mentioned, {"gigachat_error_status"})

    def test_the_wrapper_is_installed_whole(self):
        there = {path.name for path in (ROOT / "include" / "gigachat").iterdir()}
        self.assertEqual({path.name for path in (INCLUDE / "gigachat").iterdir()}, there)
        included = re.findall(r'#include "(gigachat/\w+\.hpp)"', (INCLUDE / "gigachat.hpp").read_text())
        self.assertEqual(included, WRAPPER[1:])

    def test_the_wrapper_throws_a_class_of_its_own_for_every_error_status(self):
        statuses = re.findall(r"#define (GIGACHAT_ERROR_\w+)", code(INCLUDE / "gigachat.h"))
        raised = dict(re.findall(r"case (GIGACHAT_ERROR_\w+): throw (\w+)\(", wrapper()))
        self.assertGreater(len(statuses), 20)
        self.assertEqual(set(raised), set(statuses))
        for status, name in raised.items():
            words = status.removeprefix("GIGACHAT_ERROR_").split("_")
            self.assertEqual(name, "".join(word.capitalize() for word in words) + "Error")


def code(header):
    """A header without its comments."""
    text = pathlib.Path(header).read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def wrapper():
    return "".join(code(INCLUDE / header) for header in WRAPPER)


if __name__ == "__main__":
    unittest.main()
