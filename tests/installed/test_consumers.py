"""Programs of people who installed the library: through pkg-config, through CMake, linked
statically, and from a tree that was moved.
"""

import os
import re
import shutil
import subprocess
import tomllib
import unittest

from support import LIBRARY, PREFIX, ROOT, Emulator, need, run, scratch

CONSUMER = ROOT / "tests" / "consumer"


def pkg_config_environment(prefix):
    """Only this prefix's package is to be found."""
    need("pkg-config", "pkg-config")
    environment = dict(os.environ, PKG_CONFIG_LIBDIR=str(prefix / "lib" / "pkgconfig"))
    environment.pop("PKG_CONFIG_PATH", None)
    return environment


def make(project, out, prefix=PREFIX):
    need("make", "make")
    out.mkdir(parents=True)
    done = run(["make", "-C", CONSUMER / project, f"OUT={out}"], env=pkg_config_environment(prefix))
    if done.returncode != 0:
        raise AssertionError(done.stdout)
    return out


def configure(out, *definitions, prefix=PREFIX):
    need("cmake", "cmake")
    return run(["cmake", "-S", CONSUMER / "cmake", "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", *definitions])


def cmake(out, prefix=PREFIX):
    for done in [configure(out, prefix=prefix), run(["cmake", "--build", out])]:
        if done.returncode != 0:
            raise AssertionError(done.stdout)
    return out


def needed(program):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run(["readelf", "-dW", program]).stdout)


class Consumers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()
        cls.addClassCleanup(cls.emulator.__exit__)

    def answers(self, program, language, **options):
        done = self.emulator.run([program], **options)
        self.assertEqual((done.returncode, done.stdout), (0, f"hello from {language}\n"))

    def test_a_program_made_through_pkg_config_answers(self):
        out = make("pkgconfig", scratch("pkgconfig"))
        for program, language in [("ask-c", "C"), ("ask-cpp", "C++")]:
            self.assertIn("libgigachat.so.0", needed(out / program))
            self.answers(out / program, language)

    def test_a_static_program_answers_and_needs_no_shared_library(self):
        out = make("static", scratch("static"))
        for program, language in [("ask-c", "C"), ("ask-cpp", "C++")]:
            self.assertNotIn("libgigachat.so.0", needed(out / program))
            self.answers(out / program, language)

    def test_a_program_made_with_cmake_answers(self):
        out = cmake(scratch("cmake"))
        for program, language in [("ask-c", "C"), ("ask-cpp", "C++")]:
            self.assertIn("libgigachat.so.0", needed(out / program))
            self.answers(out / program, language)
            self.assertNotIn("libgigachat.so.0", needed(out / f"{program}-static"))
            self.answers(out / f"{program}-static", language)

    def test_the_installed_tree_can_be_moved(self):
        moved = scratch("moved away") / "with a space"
        shutil.copytree(PREFIX, moved, symlinks=True)
        self.answers(cmake(scratch("moved-cmake"), moved) / "ask-c", "C")
        environment = pkg_config_environment(moved)
        libraries = run(["pkg-config", "--variable=libdir", "gigachat"], env=environment).stdout.strip()
        self.assertTrue(os.path.samefile(libraries.replace("\\ ", " "), moved / "lib"), libraries)

        plain = scratch("moved")
        shutil.copytree(PREFIX, plain, symlinks=True)
        self.answers(make("pkgconfig", scratch("moved-pkgconfig"), plain) / "ask-c", "C")

    def test_cmake_takes_a_version_that_fits_and_no_other(self):
        for wanted, fits in [("0", True), ("0.1", True), ("0.1.0", True), ("0.2", False), ("0.0.9", False), ("1", False)]:
            with self.subTest(wanted):
                done = configure(scratch(f"cmake-{wanted}"), f"-DWANTED={wanted}")
                self.assertEqual(done.returncode == 0, fits, done.stdout)

    def test_the_packages_say_the_librarys_version(self):
        environment = pkg_config_environment(PREFIX)
        version = run(["pkg-config", "--modversion", "gigachat"], env=environment).stdout.strip()
        self.assertEqual(f"libgigachat.so.{version}", (LIBRARY / "libgigachat.so").resolve().name)
        self.assertIn(f'version = "{version}"', (ROOT / "Cargo.toml").read_text().splitlines())

    def test_the_libraries_of_a_static_program_are_those_that_the_compiler_names(self):
        need("cargo", "rustup (https://rustup.rs)")
        profile = os.environ.get("PROFILE", "release")
        done = run(
            ["cargo", "rustc", "--locked", "--profile", profile, "--package", "libgigachat", "--lib"]
            + ["--", "--print", "native-static-libs"],
            bound=1200,
            cwd=ROOT,
        )
        named = re.findall(r"native-static-libs: *(.*)", done.stdout)
        self.assertTrue(named, done.stdout)
        described = (LIBRARY / "pkgconfig" / "gigachat.pc").read_text()
        self.assertIn(f"Libs.private: {named[-1]}\n", described)
        described = (LIBRARY / "cmake" / "gigachat" / "gigachatConfig.cmake").read_text()
        self.assertIn(f'INTERFACE_LINK_LIBRARIES "{named[-1]}"', described)

    def test_an_install_for_packaging_stays_inside_its_staging_folder(self):
        staging = scratch("staging")
        environment = dict(os.environ, DESTDIR=str(staging))
        done = subprocess.run(
            [ROOT / "packaging" / "install.sh", "/usr"],
            env=environment, timeout=1200, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(files(staging / "usr"), files(PREFIX))

    def test_a_distributions_folders_hold_and_an_uninstall_leaves_nothing(self):
        staging = scratch("distribution")
        folders = {"LIBDIR": "/usr/lib/x86_64-linux-gnu", "INCLUDEDIR": "include/chat", "DOCDIR": "share/doc/chat"}
        environment = dict(os.environ, DESTDIR=str(staging), **folders)

        def install(*options):
            done = run([ROOT / "packaging" / "install.sh", *options, "/usr"], bound=1200, env=environment)
            self.assertEqual(done.returncode, 0, done.stdout)

        install()
        installed = staging / "usr"
        library = installed / "lib" / "x86_64-linux-gnu"
        described = dict(os.environ, PKG_CONFIG_LIBDIR=str(library / "pkgconfig"))
        described.pop("PKG_CONFIG_PATH", None)
        for variable, folder in [("libdir", library), ("includedir", installed / "include" / "chat")]:
            told = run(["pkg-config", f"--variable={variable}", "gigachat"], env=described).stdout.strip()
            self.assertTrue(os.path.samefile(told, folder), told)
        out = cmake(scratch("distribution-cmake"), installed)
        for program in ["ask-c", "ask-c-static"]:
            self.answers(out / program, "C")

        install("--uninstall")
        self.assertEqual(files(installed), [])
        self.assertEqual([path.name for path in installed.rglob("gigachat*")], [])

    def test_a_folder_outside_the_prefix_is_refused(self):
        done = run([ROOT / "packaging" / "install.sh", "/usr"], env=dict(os.environ, LIBDIR="/opt/lib"))
        self.assertEqual((done.returncode, "/opt/lib is not below /usr" in done.stdout), (2, True), done.stdout)

    def test_cargo_cinstall_is_told_of_the_same_headers(self):
        manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
        assets = manifest["package"]["metadata"]["capi"]["install"]["include"]["asset"]
        told = [
            os.path.join(asset.get("to", ""), header.name)
            for asset in assets
            for header in ROOT.glob(asset["from"])
        ]
        self.assertEqual(sorted(told), files(PREFIX / "include"))


def files(prefix):
    return sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir())


if __name__ == "__main__":
    unittest.main()
