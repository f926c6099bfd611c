"""One run of a job: lanes that take the next row, ask, note the result, and take the next.

As many rows are under way as there are lanes, and no row is taken before there is room for its
result, so that memory depends on the lanes and never on the number of rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

from ._account import Account
from ._asker import Asker
from ._journal import Journal
from ._keys import Keys
from ._progress import Reporter
from ._result import Result
from ._rows import Row, read_row

_AHEAD = 4
"""In order, so many rows for each lane may wait for one that is slow."""
_BREATHE = 256
"""So many rows are passed over before the loop runs other tasks."""


class Job:
    """The results of the rows, for ``async for``; ``close`` ends it, finished or not."""

    def __init__(
        self,
        asker: Asker,
        rows: Iterable[Any] | AsyncIterable[Any],
        *,
        account: Account,
        reporter: Reporter,
        lanes: int,
        ordered: bool,
        key: str | None,
        journal: Journal | None,
        keys: Keys,
    ) -> None:
        self.account = account
        self.stopped: str | None = None
        self._asker = asker
        self._reporter = reporter
        self._journal = journal
        self._keys = keys
        self._key = key
        self._ordered = ordered
        self._rows = _Source(rows)
        self._lanes: list[asyncio.Task[None]] = []
        self._width = lanes
        self._room = asyncio.Semaphore(lanes * _AHEAD if ordered else lanes)
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._failure: BaseException | None = None
        self._taken = 0
        self._asked = 0
        self._early: dict[int, Result] = {}
        self._next = 0
        self._ready: deque[Result] = deque()

    def __aiter__(self) -> AsyncIterator[Result]:
        return self

    async def __anext__(self) -> Result:
        if not self._lanes:
            self._lanes = [asyncio.ensure_future(self._lane()) for _ in range(self._width)]
        while True:
            if self._ready:
                self._room.release()
                return self._ready.popleft()
            if self._failure is not None:
                raise self._failure
            if all(lane.done() for lane in self._lanes):
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """Cancels what is under way and closes the file."""
        for lane in self._lanes:
            lane.cancel()
        try:
            await asyncio.gather(*self._lanes, return_exceptions=True)
            self._reporter.report(now=True)
        finally:
            self._reporter.close()
            self._keys.close()
            if self._journal is not None:
                self._journal.close()

    async def _lane(self) -> None:
        try:
            while self._failure is None:
                await self._room.acquire()
                taken = await self._next_row()
                if taken is None:
                    self._room.release()  # another lane may wait for it, to see the end too
                    return
                place, row = taken
                self.account.in_flight += 1
                try:
                    result = await self._asker.ask(row)
                finally:
                    self.account.in_flight -= 1
                    self._settled.set()
                self._finished(place, result)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if self._failure is None:
                self._failure = error
            if not isinstance(error, Exception):
                raise
        finally:
            # The last lane to end must be seen as done by whoever is woken.
            asyncio.get_running_loop().call_soon(self._news.set)

    async def _next_row(self) -> tuple[int, Row] | None:
        """The next row that has to be asked, and its place among them."""
        async with self._rows.turn:
            while self.stopped is None and self._failure is None:
                found, item = await self._rows.next()
                if not found:
                    break
                row = read_row(item, self._taken, self._key)
                self._taken += 1
                if self._keys.is_new(row, self._taken - 1):
                    if not await self._affordable():
                        self.stopped = "max_cost"
                        break
                    self._asked += 1
                    return self._asked - 1, row
                self.account.skipped += 1
                self._reporter.report()
                if self.account.skipped % _BREATHE == 0:
                    await asyncio.sleep(0)
        return None

    async def _affordable(self) -> bool:
        """Whether one more row may be asked. Those under way may turn out cheaper than they look."""
        while not self.account.may_ask():
            if not self.account.in_flight:
                return False
            self._settled.clear()
            await self._settled.wait()
        return True

    def _finished(self, place: int, result: Result) -> None:
        if not self._ordered:
            self._note(result)
            return
        self._early[place] = result
        while self._next in self._early:
            self._note(self._early.pop(self._next))
            self._next += 1

    def _note(self, result: Result) -> None:
        if self._journal is not None:
            self._journal.write(result)
        self.account.finished(result)
        self._ready.append(result)
        self._news.set()
        self._reporter.report()


class _Source:
    """Any iterable, asynchronous or not, read by one lane at a time."""

    def __init__(self, rows: Iterable[Any] | AsyncIterable[Any]) -> None:
        self.turn = asyncio.Lock()
        self._ended = False
        self._later: AsyncIterator[Any] | None = None
        self._now: Iterator[Any] = iter(())
        if isinstance(rows, AsyncIterable):
            self._later = aiter(rows)
        else:
            self._now = iter(rows)

    async def next(self) -> tuple[bool, Any]:
        """Whether there is one more, and it."""
        if self._ended:
            return False, None
        try:
            if self._later is None:
                return True, next(self._now)
            return True, await anext(self._later)
        except (StopIteration, StopAsyncIteration):
            self._ended = True
            return False, None
