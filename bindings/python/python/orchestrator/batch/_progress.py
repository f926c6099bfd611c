"""How far a job is: for a callback, a bar of tqdm's, or a line on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from .._gigachat import Usage
from ._account import Account
from ._optional import needs

_EVERY = 0.1
"""Seconds between two reports."""


class Progress:
    """How far a job is."""

    __slots__ = {
        "total": "How many rows there are, when that is known.",
        "done": "Rows that are finished, those of earlier runs included.",
        "ok": "Rows that this run got an answer for.",
        "failed": "Rows that this run got an error for.",
        "skipped": "Rows that the file had already.",
        "in_flight": "Rows that are being asked now.",
        "rate": "Rows per second of this run.",
        "usage": "Tokens of this run.",
        "cost": "Cost of this run, by the prices given.",
        "elapsed": "Seconds since this run began.",
        "left": "Seconds that the rest takes at this rate, when that can be said.",
    }
    total: int | None
    done: int
    ok: int
    failed: int
    skipped: int
    in_flight: int
    rate: float
    usage: Usage
    cost: float
    elapsed: float
    left: float | None

    def __init__(self, account: Account, total: int | None) -> None:
        asked = account.ok + account.failed
        self.total = total
        self.done = asked + account.skipped
        self.ok = account.ok
        self.failed = account.failed
        self.skipped = account.skipped
        self.in_flight = account.in_flight
        self.elapsed = account.elapsed
        self.rate = asked / self.elapsed if self.elapsed > 0 else 0.0
        self.usage = account.usage
        self.cost = account.cost
        self.left = max(0, total - self.done) / self.rate if total is not None and self.rate else None

    def __str__(self) -> str:
        of = "" if self.total is None else f"/{self.total}"
        text = f"{self.done}{of} rows, {self.failed} failed, {self.rate:.1f}/s, {self.usage.total_tokens} tokens"
        if self.cost:
            text += f", cost {self.cost:.2f}"
        return text if self.left is None else f"{text}, {self.left:.0f} s left"


class Reporter:
    """Tells of the progress, not too often."""

    def __init__(self, progress: bool | Callable[[Progress], object], account: Account, total: int | None) -> None:
        self._account = account
        self._total = total
        self._next = 0.0
        self._bar: Any = None
        self._tell: Callable[[Progress], object] | None = None
        if callable(progress):
            self._tell = progress
        elif progress:
            self._tell = self._open_bar()

    def report(self, now: bool = False) -> None:
        """A report when one is due, or at once."""
        if self._tell is None or not (now or time.monotonic() >= self._next):
            return
        self._next = time.monotonic() + _EVERY
        self._tell(Progress(self._account, self._total))

    def close(self) -> None:
        """The bar stays as it is."""
        if self._bar is not None:
            self._bar.close()
        elif self._tell == self._line:
            print(file=sys.stderr)

    def _open_bar(self) -> Callable[[Progress], object]:
        try:
            bars = needs("tqdm.auto", "run(progress=True)")
        except ImportError:
            return self._line
        self._bar = bars.tqdm(total=self._total, unit="row")
        return self._move

    def _move(self, progress: Progress) -> None:
        self._bar.n = progress.done
        self._bar.set_postfix(
            {"failed": progress.failed, "tokens": progress.usage.total_tokens, "cost": round(progress.cost, 2)},
            refresh=False,
        )
        self._bar.refresh()

    def _line(self, progress: Progress) -> None:
        print(f"\r{progress}", end="\033[K" if sys.stderr.isatty() else "", file=sys.stderr, flush=True)
