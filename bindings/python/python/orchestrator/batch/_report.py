"""``Report``: how a job ended."""

from __future__ import annotations

from .._gigachat import Usage
from ._account import Account


class Report:
    """How a job ended."""

    __slots__ = {
        "ok": "Rows that this run got an answer for.",
        "failed": "Rows that this run got an error for.",
        "skipped": "Rows that the file had already.",
        "usage": "Tokens of this run.",
        "cost": "Cost of this run, by the prices given; 0 without.",
        "total_usage": "Tokens of all rows of the file.",
        "total_cost": "Cost of all rows of the file, at the prices of this run.",
        "elapsed": "Seconds.",
        "stopped": "``max_cost`` when rows were left for the sake of the costs; else ``None``.",
    }
    ok: int
    failed: int
    skipped: int
    usage: Usage
    cost: float
    total_usage: Usage
    total_cost: float
    elapsed: float
    stopped: str | None

    def __init__(self, account: Account, stopped: str | None) -> None:
        self.ok = account.ok
        self.failed = account.failed
        self.skipped = account.skipped
        self.usage = account.usage
        self.cost = account.cost
        self.total_usage = account.total_usage
        self.total_cost = account.cost + account.earlier_cost
        self.elapsed = account.elapsed
        self.stopped = stopped

    def __repr__(self) -> str:
        return "Report(%s)" % ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)

    def __str__(self) -> str:
        text = (
            f"{self.ok} answered, {self.failed} failed, {self.skipped} there before,"
            f" {self.usage.total_tokens} tokens, {self.elapsed:.1f} s"
        )
        if self.cost:
            text += f", cost {self.cost:.2f}"
        return text if self.stopped is None else f"{text}; stopped: {self.stopped}"
