"""The calls of ``orchestrator.batch``: what they take, and the job they make of it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sized
from typing import Any

from ..providers.base import GenerationParams
from ._account import Account, PriceList, Prices
from ._asker import Asker, Provider
from ._blocking import OwnLoop
from ._job import Job
from ._journal import Journal, Path
from ._keys import Keys
from ._progress import Progress, Reporter
from ._report import Report
from ._result import Result

Rows = Iterable[Any] | AsyncIterable[Any]
Telling = bool | Callable[[Progress], object]
Params = GenerationParams | Mapping[str, Any] | None

__all__ = ["gather", "gather_sync", "run", "run_sync", "stream", "stream_sync"]


async def run(
    provider: Provider,
    rows: Rows,
    out: Path,
    *,
    key: str | None = None,
    resume: bool = True,
    retry_failed: bool = True,
    on_error: str = "record",
    ordered: bool = False,
    params: Params = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    progress: Telling = False,
    total: int | None = None,
    prices: Prices | None = None,
    max_cost: float | None = None,
    limit_in_flight: int | None = None,
    via: str = "calls",
) -> Report:
    """Asks for every row and writes a line for each to the file ``out``; can be resumed.

    ``rows``: any iterable (an asynchronous one too) of texts, lists of messages, ``(key, text)``,
    ``(key, messages)``, or dicts with ``prompt``, ``messages`` (then the dict is the request) or
    ``request``, and the key in the field ``key`` (``id`` where it is there). A row without a key
    has its number, from 0. It is read only as fast as rows are answered.

    ``resume``: a row that the file has is not asked again; with ``retry_failed`` those are, whose
    error may pass. ``resume=False`` refuses a file that has lines. After ``kill -9`` at most the
    rows in flight are asked, and paid, twice; the file has every key once.

    ``on_error``: ``record`` writes the error as the row's result; ``retry`` asks up to five more
    times before that, when the error may pass; ``raise`` ends the job. 401, 402 and 403 always
    end it, with the provider's exception; what was answered is in the file.

    ``ordered``: lines in the order of the rows, not of the answers. ``progress``: a bar (tqdm,
    where installed), or a callable that is given a ``Progress``; ``total``: how many rows there are,
    where ``rows`` has no length. ``prices``: of 1000 tokens: a number, or by model a number or a pair
    (prompt, answer). ``max_cost``: no row is asked that, at the average cost so far, would pass this
    sum, earlier runs of the file included; the rows in flight may pass it by what they cost above the
    average. ``limit_in_flight``: rows asked at once (default: twice what the scope permits).

    Raises ``ValueError`` for a row that cannot be used, ``DuplicateKeyError``, ``ChangedRowError``
    (a key that the file has for another request), ``JournalError``, and ``OSError`` when the disk is
    full. After each of them, and after a cancellation, the same call goes on where it ended.
    """
    job, account = _job(
        provider,
        rows,
        out,
        key,
        resume,
        retry_failed,
        on_error,
        ordered,
        {"params": params, "model": model, "timeout": timeout, "deadline": deadline},
        progress,
        total,
        prices,
        max_cost,
        limit_in_flight,
        via,
    )
    try:
        async for _ in job:
            pass
    finally:
        await job.close()
    return Report(account, job.stopped)


def run_sync(
    provider: Provider,
    rows: Rows,
    out: Path,
    *,
    key: str | None = None,
    resume: bool = True,
    retry_failed: bool = True,
    on_error: str = "record",
    ordered: bool = False,
    params: Params = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    progress: Telling = False,
    total: int | None = None,
    prices: Prices | None = None,
    max_cost: float | None = None,
    limit_in_flight: int | None = None,
    via: str = "calls",
) -> Report:
    """The same, blocking. Ctrl-C ends it; the file can be resumed."""
    work = run(
        provider,
        rows,
        out,
        key=key,
        resume=resume,
        retry_failed=retry_failed,
        on_error=on_error,
        ordered=ordered,
        params=params,
        model=model,
        timeout=timeout,
        deadline=deadline,
        progress=progress,
        total=total,
        prices=prices,
        max_cost=max_cost,
        limit_in_flight=limit_in_flight,
        via=via,
    )
    with OwnLoop() as loop:
        return loop.run(work)


async def stream(
    provider: Provider,
    rows: Rows,
    *,
    key: str | None = None,
    on_error: str = "record",
    ordered: bool = False,
    params: Params = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    progress: Telling = False,
    total: int | None = None,
    prices: Prices | None = None,
    max_cost: float | None = None,
    limit_in_flight: int | None = None,
) -> AsyncIterator[Result]:
    """The results as they come, or in the order of the rows; without a file. See ``run``.

    Rows are asked ahead of the reader, as many as ``limit_in_flight``. ``aclose()`` (or
    ``contextlib.aclosing``) ends it early.
    """
    job, _ = _job(
        provider,
        rows,
        None,
        key,
        True,
        True,
        on_error,
        ordered,
        {"params": params, "model": model, "timeout": timeout, "deadline": deadline},
        progress,
        total,
        prices,
        max_cost,
        limit_in_flight,
    )
    try:
        async for result in job:
            yield result
    finally:
        await job.close()


def stream_sync(
    provider: Provider,
    rows: Rows,
    *,
    key: str | None = None,
    on_error: str = "record",
    ordered: bool = False,
    params: Params = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    progress: Telling = False,
    total: int | None = None,
    prices: Prices | None = None,
    max_cost: float | None = None,
    limit_in_flight: int | None = None,
) -> Iterator[Result]:
    """The same, for ``for``. Requests under way go on while the program is busy; new ones wait."""
    job, _ = _job(
        provider,
        rows,
        None,
        key,
        True,
        True,
        on_error,
        ordered,
        {"params": params, "model": model, "timeout": timeout, "deadline": deadline},
        progress,
        total,
        prices,
        max_cost,
        limit_in_flight,
    )
    with OwnLoop() as loop:
        try:
            while True:
                try:
                    result = loop.run(job.__anext__())
                except StopAsyncIteration:
                    return
                yield result
        finally:
            loop.run(job.close())


async def gather(
    provider: Provider,
    rows: Rows,
    *,
    key: str | None = None,
    on_error: str = "record",
    params: Params = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    progress: Telling = False,
    total: int | None = None,
    prices: Prices | None = None,
    max_cost: float | None = None,
    limit_in_flight: int | None = None,
) -> list[Result]:
    """All results as a list, in the order of the rows; without a file. See ``run``."""
    found = stream(
        provider,
        rows,
        key=key,
        on_error=on_error,
        ordered=True,
        params=params,
        model=model,
        timeout=timeout,
        deadline=deadline,
        progress=progress,
        total=total,
        prices=prices,
        max_cost=max_cost,
        limit_in_flight=limit_in_flight,
    )
    return [result async for result in found]


def gather_sync(
    provider: Provider,
    rows: Rows,
    *,
    key: str | None = None,
    on_error: str = "record",
    params: Params = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    progress: Telling = False,
    total: int | None = None,
    prices: Prices | None = None,
    max_cost: float | None = None,
    limit_in_flight: int | None = None,
) -> list[Result]:
    """The same, blocking."""
    work = gather(
        provider,
        rows,
        key=key,
        on_error=on_error,
        params=params,
        model=model,
        timeout=timeout,
        deadline=deadline,
        progress=progress,
        total=total,
        prices=prices,
        max_cost=max_cost,
        limit_in_flight=limit_in_flight,
    )
    with OwnLoop() as loop:
        return loop.run(work)


def _job(
    provider: Provider,
    rows: Rows,
    out: Path | None,
    key: str | None,
    resume: bool,
    retry_failed: bool,
    on_error: str,
    ordered: bool,
    options: dict[str, Any],
    progress: Telling,
    total: int | None,
    prices: Prices | None,
    max_cost: float | None,
    limit_in_flight: int | None,
    via: str = "calls",
) -> tuple[Job, Account]:
    if via == "service":
        raise NotImplementedError(
            'via="service": this version does not know the batches of the service yet; via="calls" asks row by row'
        )
    if via != "calls":
        raise ValueError(f"via: {via!r} is not one of calls, service")
    if isinstance(rows, (str, bytes, dict)):
        raise TypeError(f"rows: a {type(rows).__name__} is not many rows; give a list or another iterable")
    if limit_in_flight is not None and limit_in_flight < 1:
        raise ValueError(f"limit_in_flight: {limit_in_flight!r} is less than 1")
    asker = Asker(provider, on_error, {name: value for name, value in options.items() if value is not None})
    account = Account(PriceList(prices), max_cost)
    if total is None and isinstance(rows, Sized):
        total = len(rows)
    keys = Keys()
    journal = None
    if out is not None:
        journal = Journal(out, keys, resume=resume, retry_failed=retry_failed)
        try:
            journal.load(account.had)
        except BaseException:
            journal.close()
            raise
    job = Job(
        asker,
        rows,
        account=account,
        reporter=Reporter(progress, account, total),
        lanes=limit_in_flight or 2 * asker.permits,
        ordered=ordered,
        key=key,
        journal=journal,
        keys=keys,
    )
    return job, account
