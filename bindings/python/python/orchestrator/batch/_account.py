"""What a job has done and used so far, what that costs, and whether it may go on."""

from __future__ import annotations

import time
from collections.abc import Mapping

from .._gigachat import Router as Core
from .._gigachat import Usage
from ._result import USAGE, Result

Prices = float | Mapping[str, float | tuple[float, float]]

class PriceList:
    """What tokens cost. A price is for 1000 tokens: one for all, or by model, or for prompt and answer."""

    known: bool

    def __init__(self, prices: Prices | None) -> None:
        self.known = prices is not None
        # The core's price table: a price holds for all versions of a model.
        self._table = Core({})
        self._flat: float | None = None
        if prices is None:
            return
        if isinstance(prices, (int, float)):
            self._flat = _price(prices, "prices")
            return
        for model, price in prices.items():
            prompt, completion = price if isinstance(price, (tuple, list)) else (price, price)
            self._table.set_price(model, _price(prompt, model), _price(completion, model))

    def cost(self, model: str | None, usage: Usage) -> float:
        """What a call cost, in the currency of the prices."""
        if self._flat is not None:
            return self._flat * (usage.prompt_tokens + usage.completion_tokens) / 1000
        return self._table.cost(model or "", usage.prompt_tokens, usage.completion_tokens)

    def has(self, model: str | None) -> bool:
        """Whether a model's tokens have a price (0 counts as none in a table by models)."""
        return self._flat is not None or self._table.cost(model or "", 1, 1) > 0


def _price(value: float, name: str) -> float:
    price = float(value)
    if not 0 <= price < float("inf"):
        raise ValueError(f"prices: {name}: {value!r} is no price")
    return price


class Account:
    """Counts of this run, and of the rows that the file had before."""

    begun: float
    ok: int
    failed: int
    skipped: int
    in_flight: int
    cost: float
    earlier_cost: float

    def __init__(self, prices: PriceList, max_cost: float | None) -> None:
        if max_cost is not None and not max_cost > 0:
            raise ValueError(f"max_cost: {max_cost!r} is not more than 0")
        if max_cost is not None and not prices.known:
            raise ValueError("max_cost: without prices there are no costs to bound")
        self.prices = prices
        self.max_cost = max_cost
        self.begun = time.monotonic()
        self.ok = self.failed = self.skipped = self.in_flight = 0
        self.cost = self.earlier_cost = 0.0
        self._used = [0, 0, 0, 0]
        self._used_earlier = [0, 0, 0, 0]
        self._priced = 0

    def had(self, result: Result) -> None:
        """A row that the file has from an earlier run."""
        self.earlier_cost += self._add(result, self._used_earlier)

    def finished(self, result: Result) -> None:
        """A row of this run."""
        if result.error is None:
            self.ok += 1
        else:
            self.failed += 1
        self.cost += self._add(result, self._used)

    def may_ask(self) -> bool:
        """Whether one more call keeps the cost within its bound, as far as an average row tells."""
        if self.max_cost is None:
            return True
        spent = self.cost + self.earlier_cost
        average = spent / self._priced if self._priced else 0.0
        return spent < self.max_cost and spent + (self.in_flight + 1) * average <= self.max_cost

    @property
    def usage(self) -> Usage:
        """The tokens of this run."""
        return Usage(*self._used)

    @property
    def total_usage(self) -> Usage:
        """The tokens of all runs."""
        return Usage(*map(sum, zip(self._used, self._used_earlier)))

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.begun

    def _add(self, result: Result, used: list[int]) -> float:
        usage = result.usage
        if usage is None:
            if self.max_cost is not None and result.error is None:
                raise ValueError(f"max_cost: the answer to {result.key!r} says nothing of tokens, its cost is not known")
            return 0.0
        for place, name in enumerate(USAGE):
            used[place] += getattr(usage, name)
        if self.max_cost is not None and not self.prices.has(result.model):
            raise ValueError(f"max_cost: prices has none for the model {result.model!r}")
        self._priced += 1
        return self.prices.cost(result.model, usage) if self.prices.known else 0.0
