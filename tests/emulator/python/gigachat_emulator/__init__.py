"""The GigaChat service on loopback, for the tests of any program that talks to it.

    from gigachat_emulator import Emulator

    with Emulator() as emulator:
        subprocess.run(["./program"], env=os.environ | emulator.environment, check=True)

With pytest there is a fixture, `gigachat_emulator`: see `gigachat_emulator.fixture`.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
import time
import urllib.request
from typing import Any

__all__ = ["Emulator"]

# How long the emulator may take to listen, in seconds; on a busy machine as well.
_START = 60.0


class Emulator:
    """A running emulator; a context manager.

    `options` are those of the program, `"--concurrency", "0"` for example (`gigachat-emulator --help`).
    `environment` has what a program needs to find the emulator: address, certificate, authorization key.
    Raises FileNotFoundError where the program is not installed, RuntimeError when it does not start.
    """

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gigachat-emulator-")
        exports = pathlib.Path(self._folder.name, "exports")
        command = [_program(), "--quiet", "--env-file", str(exports), *options]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        until = time.monotonic() + _START
        # The file appears complete, when the emulator listens.
        while not exports.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"the emulator did not start (status {self._process.returncode})")
            time.sleep(0.01)
        self.environment = _read(exports.read_text())

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Calls a control endpoint, `control("POST", "reset")` for example, and returns its answer, parsed.

        `body` is what is sent, as JSON. Raises `urllib.error.HTTPError` for a refusal.
        """
        url = f"{self.environment['GIGACHAT_EMULATOR_CONTROL']}/_emulator/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        # No proxy of the environment: the emulator is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fault(self, **fault: Any) -> None:
        """Makes coming requests fail: `fault(endpoint="chat", action={"type": "status", "code": 429})`."""
        self.control("POST", "faults", fault)

    def answer(self, text: str) -> None:
        """What the next completion says."""
        self.control("POST", "answers", {"text": text})

    def counters(self) -> dict[str, Any]:
        """What the emulator has seen: `token_requests`, `chat_requests`, `in_flight`, ..."""
        return self.control("GET", "counters")

    def reset(self) -> None:
        """Forgets faults, answers, counts, files, batches and threads."""
        self.control("POST", "reset")

    def stop(self) -> None:
        """Ends the emulator. May be called again."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _program() -> str:
    beside = pathlib.Path(sysconfig.get_path("scripts"), "gigachat-emulator")
    if beside.exists():
        return str(beside)
    found = shutil.which("gigachat-emulator")
    if found is None:
        raise FileNotFoundError("the program gigachat-emulator is neither beside this Python nor on the PATH")
    return found


def _read(exports: str) -> dict[str, str]:
    """The variables out of `export NAME='value'` lines."""
    words = (shlex.split(line)[1] for line in exports.splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for word in words)


def main() -> None:
    """`python -m gigachat_emulator`: the program itself."""
    import sys

    os.execv(_program(), ["gigachat-emulator", *sys.argv[1:]])
