"""The pytest fixture `gigachat_emulator`: one emulator for the session, reset for each test, with its
variables in the environment of the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gigachat_emulator import Emulator


@pytest.fixture(scope="session")
def _gigachat_emulator_process() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def gigachat_emulator(_gigachat_emulator_process: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The service, as new: clients that read `GIGACHAT_*` variables find it."""
    emulator = _gigachat_emulator_process
    emulator.reset()
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return emulator
