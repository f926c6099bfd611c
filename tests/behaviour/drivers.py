"""The driver of each language: built from its one source against the installed library or package,
kept running, asked one line at a time. An answer that does not come in time is a failure.
"""

import contextlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

import support

FOLDER = pathlib.Path(__file__).resolve().parent
# MATRIX_LANGUAGES names others; those of bindings/ build and run their drivers by a driver.sh of their own.
LANGUAGES = tuple(os.environ.get("MATRIX_LANGUAGES", "c,cpp,python").split(","))
BINDINGS = FOLDER.parents[1] / "bindings"
# Longer than any time limit in the table.
HANGS_AFTER = 20


class Hangs(AssertionError):
    """A driver did not answer."""


def command(language):
    """How the driver of a language is started. One that cannot be built is an error, never skipped."""
    if language == "python":
        interpreter = os.environ.get("GIGACHAT_PYTHON")
        if not interpreter:
            raise AssertionError("GIGACHAT_PYTHON must name an interpreter that has the wheel")
        return [interpreter, "-I", str(FOLDER / "driver.py")]
    script = BINDINGS / language / "driver.sh"
    if script.exists():
        subprocess.run([str(script), "build"], check=True)
        return [str(script), "run"]
    source = {"c": "driver.c", "cpp": "driver.cpp"}[language]
    return [str(support.compile_program(FOLDER / source))]


class Driver:
    """A running driver."""

    def __init__(self, started_by, environment=None):
        self.started_by = started_by
        self.environment = environment if environment is not None else without_proxies()
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.started_by,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            env=self.environment,
            text=True,
            encoding="utf-8",
        )
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, args=(self.process.stdout, self.lines), daemon=True)
        self.reader.start()

    @staticmethod
    def read(stdout, lines):
        for line in stdout:
            lines.put(line)
        lines.put(None)

    def ask(self, *fields):
        """One command; its answer. Text in a field has neither tabs nor line ends."""
        if self.process is None:
            self.start()
        self.process.stdin.write("\t".join(fields) + "\n")
        self.process.stdin.flush()
        try:
            line = self.lines.get(timeout=HANGS_AFTER)
        except queue.Empty:
            self.kill()
            raise Hangs(f"no answer to {fields[0]} within {HANGS_AFTER} s") from None
        if line is None:
            raise AssertionError(f"the driver died with status {self.ended()}")
        return json.loads(line)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.ended()

    def finish(self):
        """The orderly end; its status."""
        if self.process is None:
            return 0
        self.process.stdin.close()
        return self.ended()

    def ended(self):
        status = self.process.wait(HANGS_AFTER)
        self.reader.join(HANGS_AFTER)
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process = None
        return status


def without_proxies():
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
