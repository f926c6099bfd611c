"""The one private loop on which blocking calls run members that are written in Python.

Its thread is started at the first such call; it is a daemon, so that it never holds up the exit.
"""

from __future__ import annotations

import asyncio
import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    T = TypeVar("T")

_loop: asyncio.AbstractEventLoop | None = None
_starting = threading.Lock()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine there and waits for its result; an interrupt cancels it."""
    if is_here():
        work.close()
        raise RuntimeError("a blocking call inside of a provider's coroutine would wait for itself: await instead")
    future = asyncio.run_coroutine_threadsafe(_contained(work), _running())
    try:
        result, error = future.result()
    except BaseException:
        future.cancel()
        raise
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


async def _contained(work: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """What it raises, itself: asyncio would make a new TimeoutError of one on its way to another thread,
    and end the loop for a SystemExit."""
    try:
        return await work, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


def is_here() -> bool:
    """Whether this is the private loop's own thread."""
    return threading.current_thread().name == _NAME


_NAME = "orchestrator-loop"


def _running() -> asyncio.AbstractEventLoop:
    global _loop
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name=_NAME, daemon=True).start()
        return _loop


def _forget() -> None:
    """In a forked child its thread is not there."""
    global _loop, _starting
    _loop, _starting = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
