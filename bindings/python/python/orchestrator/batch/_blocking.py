"""A job without ``await``: on a loop of its own in the caller's thread, whose rows are read there too.

Where a loop runs in this thread already (Jupyter), it has a thread beside it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

class OwnLoop:
    """A loop for one job, for ``with``."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self._thread = threading.Thread(target=self._serve, name="orchestrator-batch", daemon=True)
        self._thread.start()

    def __enter__(self) -> OwnLoop:
        return self

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result. An interrupt (Ctrl-C) is raised once all that runs here was cancelled and has tidied up."""
        try:
            return self._result(work)
        except (KeyboardInterrupt, SystemExit):
            self._result(_end_all())
            raise

    def __exit__(self, *_exception: object) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        else:
            self._close()

    def _result(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            return self._loop.run_until_complete(work)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _serve(self) -> None:
        self._loop.run_forever()
        self._close()

    def _close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


async def _end_all() -> None:
    """Cancels every task of the loop and waits for it."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
