"""What the installed binaries show the world: exactly the header's functions, the right soname,
pinned in memory, needing nothing but the C library's own, small.
"""

import pathlib
import re
import unittest

from support import INCLUDE, LIBRARY, ROOT, need, run

SHARED_LIBRARY = LIBRARY / "libgigachat.so"
STATIC_LIBRARY = LIBRARY / "libgigachat.a"
LIMIT = 6 * 1024 * 1024

# The C library's parts, and what unwinding needs.
NEEDED = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def output(*command):
    need(command[0], "binutils")
    done = run(command)
    if done.returncode != 0:
        raise AssertionError(done.stdout)
    return done.stdout


def header_functions():
    header = pathlib.Path(INCLUDE / "gigachat.h").read_text()
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return set(re.findall(r"\b(gigachat_\w+)\(", header))


class Symbols(unittest.TestCase):
    def test_the_shared_library_exports_exactly_the_headers_functions(self):
        lines = output("nm", "-D", "--defined-only", SHARED_LIBRARY).splitlines()
        exported = {line.split()[-1] for line in lines}
        self.assertEqual(exported, header_functions())

    def test_the_list_of_symbols_is_current(self):
        listed = (ROOT / "tests" / "abi" / "gigachat.symbols").read_text().split()
        self.assertEqual(listed, sorted(listed))
        self.assertEqual(
            set(listed),
            header_functions(),
            "a function that is gone breaks programs; one that is new belongs into tests/abi/gigachat.symbols",
        )

    def test_the_static_library_has_the_headers_functions_too(self):
        lines = output("nm", "--defined-only", "--extern-only", STATIC_LIBRARY).splitlines()
        fields = [line.split() for line in lines]
        functions = {name for _, kind, name in (f for f in fields if len(f) == 3) if kind == "T"}
        self.assertEqual({name for name in functions if name.startswith("gigachat_")}, header_functions())

    def test_the_soname_is_the_abi_version(self):
        sonames = re.findall(r"\(SONAME\).*\[(.*)\]", output("readelf", "-dW", SHARED_LIBRARY))
        self.assertEqual(sonames, ["libgigachat.so.0"])
        for name in ["libgigachat.so", "libgigachat.so.0"]:
            self.assertTrue((LIBRARY / name).is_symlink(), name)
        self.assertRegex(SHARED_LIBRARY.resolve().name, r"^libgigachat\.so\.0\.\d+\.\d+$")

    def test_the_library_is_pinned_and_bound_at_once(self):
        dynamic = output("readelf", "-dW", SHARED_LIBRARY)
        flags = re.search(r"\(FLAGS_1\).*Flags: (.*)", dynamic)
        self.assertIsNotNone(flags, dynamic)
        self.assertLessEqual({"NODELETE", "NOW"}, set(flags[1].split()))
        self.assertNotIn("TEXTREL", dynamic)
        self.assertNotRegex(dynamic, r"\((RPATH|RUNPATH)\)")
        segments = output("readelf", "-lW", SHARED_LIBRARY)
        self.assertIn("GNU_RELRO", segments)
        self.assertRegex(segments, r"GNU_STACK.* RW ")

    def test_it_needs_nothing_but_the_c_library(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", SHARED_LIBRARY)))
        self.assertIn("libc.so.6", needed)
        self.assertLessEqual(needed, NEEDED)

    def test_the_release_library_is_stripped_and_small(self):
        self.assertNotIn(".symtab", output("readelf", "-SW", SHARED_LIBRARY))
        self.assertLessEqual(SHARED_LIBRARY.resolve().stat().st_size, LIMIT)


if __name__ == "__main__":
    unittest.main()
