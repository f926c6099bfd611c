"""Streams of a router, as objects: before the first chunk another member may be asked, after it
never (nothing is delivered twice, nothing is mixed)."""

from __future__ import annotations

from ._driver import Attempt, native, next_attempt, next_attempt_blocking
from ._own_loop import run
from ._streams import BlockingTextStream, TextStream
from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._gigachat import Plan, Usage
    from .providers.base import GenerationParams
    from .router import Router


class _Routed:
    """What both kinds share: where the stream stands."""

    def __init__(
        self, router: Router, prompt: str, params: GenerationParams | None, deadline: float | None = None
    ) -> None:
        router._check_members()
        self._router = router
        self._asked = (prompt, params)
        self._deadline = deadline
        self._plan: Plan | None = None
        self._attempt: Attempt | None = None
        self._inner: Any = None
        self._ended = False
        self.usage: Usage | None = None
        """Token usage, once the stream has ended."""
        self.finish_reason: str | None = None
        """Why the answer ended, once it has."""
        self.provider_name: str | None = None
        """The member that answers."""

    def _begin(self) -> Plan:
        if self._plan is None:
            self._plan = self._router._planner.plan(self._deadline)
        return self._plan

    def _takes(self, attempt: Attempt, inner: Any) -> bool:
        """Has the answer read from this attempt; not when the stream was closed meanwhile.

        ``close`` notes the end first and looks for what is to be closed then, here it is the other
        way round: one of both threads sees what the other has done.
        """
        self._attempt, self._inner = attempt, inner
        if self._ended:
            self._let_go()
            return False
        return True

    def _first(self, attempt: Attempt) -> None:
        attempt.plan.first_content()
        self.provider_name = attempt.member.config.name

    def _complete(self, attempt: Attempt) -> dict[str, Any]:
        """The end was received: reports the answer."""
        inner = self._inner
        self._ended = True
        self.usage = getattr(inner, "usage", None)
        self.finish_reason = getattr(inner, "finish_reason", None)
        return attempt.answered(getattr(inner, "model", None), self.usage)

    def _let_go(self) -> None:
        self._ended = True
        self._plan = self._attempt = None


class RoutedStream(_Routed):
    """The pieces of a routed answer, for ``async for``; the first one decides who answers.

    After the end ``usage``, ``finish_reason`` and ``provider_name`` are known.
    """

    _reading = False

    def __aiter__(self) -> t.Self:
        return self

    async def __anext__(self) -> str:
        attempt = self._attempt  # before the end is looked at: close() notes the end first
        if self._ended:
            raise StopAsyncIteration
        if self._reading:
            raise RuntimeError("another task is reading this stream")
        self._reading = True
        try:
            if attempt is None or self._inner is None:
                piece = await self._open()
            else:
                piece = await self._next(attempt)
        finally:
            self._reading = False
        if self._ended:
            await self.aclose()  # closed meanwhile: what had to be left to its reader
            raise StopAsyncIteration
        return piece

    async def _next(self, attempt: Attempt) -> str:
        """The next piece of the member that has begun to answer."""
        try:
            return await self._inner.__anext__()  # type: ignore[no-any-return]
        except StopAsyncIteration:
            if not self._ended:
                await self._router._tell(self._complete(attempt))
            raise
        except Exception as error:
            if self._ended:
                raise StopAsyncIteration from None
            usage = attempt.failed(error, delivered=True)
            self._let_go()
            await self._router._tell(usage)
            raise
        except BaseException:
            self._let_go()  # cancelled, which is no answer to report
            raise

    async def _open(self) -> str:
        """Asks members until one says something."""
        plan, last = self._begin(), None
        while True:
            attempt = await next_attempt(self._router, plan, last, True)
            if self._ended:
                raise StopAsyncIteration
            try:
                first = await self._ask(attempt)
            except StopAsyncIteration:
                if not self._ended:
                    await self._router._tell(self._complete(attempt))
                raise
            except Exception as error:
                last, self._inner = error, None
                await self._router._tell(attempt.failed(error))
                if self._ended:
                    raise StopAsyncIteration from None
                continue
            except BaseException:
                self._let_go()
                raise
            self._first(attempt)
            return first

    async def _ask(self, attempt: Attempt) -> str:
        """Asks one member, within its limits, for its first piece."""
        prompt, params = self._asked
        if native(attempt.member, True):
            stream = TextStream(attempt.core(), prompt, False, params, None)
            if self._takes(attempt, stream):
                return await stream.__anext__()
        else:
            inner = attempt.member.generate_stream(prompt, params).__aiter__()
            if self._takes(attempt, inner):
                first: str = await attempt.limited(inner.__anext__())
                return first
        raise StopAsyncIteration

    def close(self) -> None:
        """Ends the stream now; from any thread. A member's own generator ends at its next step."""
        self._let_go()
        close = getattr(self._inner, "close", None)
        if close is not None:
            close()

    async def aclose(self) -> None:
        """Ends the stream now. A member's own generator that another task waits for ends after that."""
        self.close()
        if not self._reading and hasattr(self._inner, "aclose"):
            await self._inner.aclose()

    async def __aenter__(self) -> t.Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


class BlockingRoutedStream(_Routed):
    """The same, for ``for`` and ``with``."""

    _step_task: t.Any = None
    """The step of a program's own member that runs now; known to the private loop only."""

    def __iter__(self) -> t.Self:
        return self

    def __next__(self) -> str:
        attempt = self._attempt  # before the end is looked at: close() notes the end first
        if self._ended:
            raise StopIteration
        if attempt is None or self._inner is None:
            return self._open()
        try:
            return self._step(attempt, False)
        except StopIteration:
            if not self._ended:
                self._router._tell_blocking(self._complete(attempt))
            raise
        except Exception as error:
            if self._ended:
                raise StopIteration from None
            usage = attempt.failed(error, delivered=True)
            self._let_go()
            self._router._tell_blocking(usage)
            raise
        except BaseException:
            self._let_go()  # interrupted, which is no answer to report
            raise

    def _open(self) -> str:
        plan, last = self._begin(), None
        while True:
            attempt = next_attempt_blocking(self._router, plan, last, True)
            if self._ended:
                raise StopIteration
            try:
                first = self._ask(attempt)
            except StopIteration:
                if not self._ended:
                    self._router._tell_blocking(self._complete(attempt))
                raise
            except Exception as error:
                if self._ended:
                    raise StopIteration from None
                last, self._inner = error, None
                self._router._tell_blocking(attempt.failed(error))
                if self._ended:
                    raise StopIteration from None
                continue
            except BaseException:
                self._let_go()
                raise
            self._first(attempt)
            return first

    def _ask(self, attempt: Attempt) -> str:
        prompt, params = self._asked
        inner: Any
        if native(attempt.member, True):
            inner = BlockingTextStream(attempt.core(), prompt, False, params, None)
        else:
            inner = attempt.member.generate_stream(prompt, params).__aiter__()
        if not self._takes(attempt, inner):
            raise StopIteration
        return self._step(attempt, True)

    def _step(self, attempt: Attempt, first: bool) -> str:
        inner = self._inner
        if isinstance(inner, BlockingTextStream):
            return next(inner)
        try:
            piece: str = run(self._step_of(inner, attempt if first else None))
            return piece
        except StopAsyncIteration:
            raise StopIteration from None

    async def _step_of(self, inner: Any, limits: Attempt | None) -> Any:
        """A step of a program's own member, on the private loop."""
        from asyncio import current_task

        self._step_task = current_task()
        try:
            return await (limits.limited(inner.__anext__()) if limits else inner.__anext__())
        finally:
            self._step_task = None

    async def _end_of(self, inner: Any) -> None:
        """Ends a program's own member there, in the midst of a step as well."""
        from asyncio import wait

        if self._step_task is not None:
            self._step_task.cancel()
            await wait([self._step_task])
        if hasattr(inner, "aclose"):
            await inner.aclose()

    def close(self) -> None:
        """Ends the stream now; from any thread."""
        self._let_go()
        inner = self._inner
        if isinstance(inner, BlockingTextStream):
            inner.close()
        elif inner is not None:
            run(self._end_of(inner))

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
