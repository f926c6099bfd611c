"""The emulator of the service, started once, and what tests ask of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
import urllib.request

import pytest

BOUND = 100.0
"""Seconds after which something counts as hanging."""

PROGRAM = os.environ.get("GIGACHAT_EMULATOR")
"""The emulator's program."""


class Emulator:
    """The running emulator: faults, counters and what it was asked."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self.control = variables["GIGACHAT_EMULATOR_CONTROL"]
        self.key = variables["GIGACHAT_CREDENTIALS"]

    def ask(self, method: str, action: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control}/_emulator/{action}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{action}: {error.code} {error.read().decode()}") from None

    def counters(self) -> dict:
        return self.ask("GET", "counters")

    def fault(self, action: dict | str, endpoint: str = "any", times: int = 1, skip: int = 0) -> None:
        action = {"type": action} if isinstance(action, str) else action
        self.ask("POST", "faults", {"endpoint": endpoint, "times": times, "skip": skip, "action": action})

    def requests(self, path: str = "") -> list[dict]:
        found = self.ask("GET", "requests")
        return [request for request in found if path in request["path"]]

    def wait(self, counter: str, at_least: int = 0, at_most: int | None = None, seconds: float = 10) -> dict:
        body = {"counter": counter, "at_least": at_least, "timeout_ms": int(seconds * 1000)}
        if at_most is not None:
            body["at_most"] = at_most
        return self.ask("POST", "wait", body)

    def config(self, **options):
        from orchestrator.providers import ProviderConfig

        return ProviderConfig(**{"name": "gigachat", "api_key": self.key, **options})

    def provider(self, **options):
        from orchestrator.providers import GigaChatProvider

        return GigaChatProvider(self.config(**options))


@pytest.fixture(scope="session", autouse=True)
def _the_tests_own_variables_are_out_of_the_way():
    """Modules have read them when they were collected; `from_env` would warn of each."""
    for name in ("GIGACHAT_EMULATOR", "GIGACHAT_EXIT_RUNS", "GIGACHAT_PREFIX"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def running_emulator(tmp_path_factory):
    if not PROGRAM:
        pytest.exit("GIGACHAT_EMULATOR must name the emulator's program; test.sh sets it", 2)
    folder = tmp_path_factory.mktemp("emulator")
    exports = folder / "env"
    process = subprocess.Popen(
        [PROGRAM, "--quiet", "--no-rate-limit", "--dir", str(folder), "--env-file", str(exports)]
    )
    give_up = time.monotonic() + BOUND
    while not exports.exists():
        assert process.poll() is None and time.monotonic() < give_up, "the emulator does not start"
        time.sleep(0.01)
    variables = dict(re.findall(r"export (\w+)='(.*)'", exports.read_text()))
    for name in ("GIGACHAT_BASE_URL", "GIGACHAT_AUTH_URL", "GIGACHAT_CA_BUNDLE_FILE"):
        os.environ[name] = variables[name]
    yield Emulator(variables)
    process.terminate()
    process.wait(BOUND)


_latencies: list[str] = []


@pytest.fixture
def report_latency(request):
    """Notes how long something took, for the summary at the end. No figure decides a test: machines
    are slow at times."""

    def note(what: str, seconds: list[float], aim: float) -> None:
        ordered = sorted(seconds)
        p99 = ordered[-(-len(ordered) * 99 // 100) - 1]
        _latencies.append(
            f"{what}: median {ordered[len(ordered) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"
            f" of {len(ordered)} (aim {aim * 1000:.0f} ms{'' if p99 <= aim else ', MISSED'})"
        )

    return note


def pytest_terminal_summary(terminalreporter):
    for line in _latencies:
        terminalreporter.write_line(line)


@pytest.fixture
def emulator(running_emulator):
    running_emulator.ask("POST", "reset")
    return running_emulator


@pytest.fixture
def run_program(emulator):
    """Runs a Python program of its own; returns the finished process."""

    def run(source: str, *arguments: str, python: str = sys.executable, **options):
        environment = {**os.environ, **emulator.variables}
        return subprocess.run(
            [python, "-c", textwrap.dedent(source), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    return run
