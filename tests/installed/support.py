"""What the tests of the installed library share: where it is, how to compile against it, how to
run a program with the emulator.

The tests know the library only as a C programmer does: headers, shared and static library, a
pkg-config file. `GIGACHAT_PREFIX` is where `make install` put them; `GIGACHAT_EMULATOR` is the
emulator's binary.
"""

import atexit
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFIX = pathlib.Path(os.environ.get("GIGACHAT_PREFIX", ROOT / "build" / "prefix")).absolute()
EMULATOR = pathlib.Path(
    os.environ.get("GIGACHAT_EMULATOR", ROOT / "target" / "debug" / "gigachat-emulator")
).absolute()
INCLUDE = PREFIX / "include"
LIBRARY = PREFIX / "lib"

C_FLAGS = ["-std=c99", "-g", "-Wall", "-Wextra", "-pedantic", "-Wstrict-prototypes", "-Werror"]
CPP_FLAGS = ["-std=c++17", "-g", "-Wall", "-Wextra", "-pedantic", "-Werror"]
SHARED = [f"-L{LIBRARY}", "-lgigachat", f"-Wl,-rpath,{LIBRARY}"]

# A program that does not end within this many seconds hangs, also on a machine with fifteen others at work.
BOUND = 600

_scratch = tempfile.TemporaryDirectory(prefix="gigachat-installed-")
_numbers = itertools.count()


def scratch(name):
    """A path in a folder that is gone after the tests."""
    return pathlib.Path(_scratch.name) / name


def run(command, bound=BOUND, **options):
    """Runs a command to its end; output is captured as text. A hang raises TimeoutExpired."""
    return subprocess.run(
        [str(part) for part in command],
        timeout=bound,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )


def need(tool, package):
    """The path of a tool. A test that misses its tool fails; it is never skipped."""
    path = shutil.which(tool)
    if path is None:
        raise AssertionError(f"{tool} is missing; on Debian: apt-get install {package}")
    return path


def compile_program(source, flags=None, libraries=None, compiler=None):
    """Compiles a C or C++ source against the installed library; returns the program's path."""
    source = pathlib.Path(source)
    is_cpp = source.suffix == ".cpp"
    compiler = compiler or ("g++" if is_cpp else "gcc")
    flags = flags if flags is not None else (CPP_FLAGS if is_cpp else C_FLAGS)
    libraries = libraries if libraries is not None else SHARED + ["-pthread", "-ldl", "-lm"]
    program = scratch(f"{source.stem}-{abs(hash((str(source), tuple(flags), tuple(libraries))))}")
    done = run([compiler, *flags, f"-I{INCLUDE}", source, "-o", program, *libraries])
    if done.returncode != 0:
        raise AssertionError(f"{source} does not compile:\n{done.stdout}")
    return program


class Emulator:
    """A running emulator; `environment` is what its programs need."""

    def __init__(self, *options):
        self.file = scratch(f"emulator-{next(_numbers)}.env")
        self.process = subprocess.Popen(
            [str(EMULATOR), "--quiet", "--env-file", str(self.file), *options],
            stdout=subprocess.DEVNULL,
        )
        # A test that breaks before it is done must not leave it behind.
        atexit.register(self.process.terminate)
        self.environment = dict(os.environ)
        self.environment.update(self._read_exports())
        self.control = self.environment["GIGACHAT_EMULATOR_CONTROL"]

    def _read_exports(self):
        for _ in range(2000):
            if self.file.exists() and self.file.read_text().endswith("\n"):
                break
            if self.process.poll() is not None:
                raise AssertionError("the emulator did not start")
            # Another process's start can only be polled.
            try:
                self.process.wait(0.01)
            except subprocess.TimeoutExpired:
                pass
        lines = self.file.read_text().splitlines()
        exports = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        return {name: value.strip("'\"") for name, value in exports}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def run(self, command, bound=BOUND, **options):
        """Runs a program with the emulator's environment."""
        return run(command, bound, env=self.environment, **options)

    def ask(self, method, path, body=None):
        """A control request; returns the JSON answer, or None."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control}/_emulator/{path}", data, method=method)
        # The environment's proxy has no business on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def counters(self):
        return self.ask("GET", "counters")
