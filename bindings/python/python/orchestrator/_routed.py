"""Streams of a router, as objects: before the first chunk another member may be asked, after it
never (nothing is delivered twice, nothing is mixed)."""

from __future__ import annotations

from ._driver import Attempt, native, next_attempt, next_attempt_blocking
from ._own_loop import run
from ._streams import BlockingTextStream, TextStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self

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

    def _first(self, attempt: Attempt) -> None:
        attempt.plan.first_content()
        self.provider_name = attempt.member.config.name

    def _complete(self) -> dict[str, Any]:
        """The end was received: reports the answer."""
        attempt, inner = self._attempt, self._inner
        assert attempt is not None
        self._ended = True
        self.usage = getattr(inner, "usage", None)
        self.finish_reason = getattr(inner, "finish_reason", None)
        return attempt.answered(getattr(inner, "model", None), self.usage)

    def _let_go(self) -> None:
        self._ended = True
        self._plan = self._attempt = None


class RoutedStream(_Routed):
    """The pieces of a routed answer, for ``async for``; the first one decides who answers."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        if self._ended:
            raise StopAsyncIteration
        if self._inner is None:
            return await self._open()
        attempt = self._attempt
        assert attempt is not None
        try:
            return await self._inner.__anext__()  # type: ignore[no-any-return]
        except StopAsyncIteration:
            if not self._ended:
                await self._router._tell(self._complete())
            raise
        except Exception as error:
            usage = attempt.failed(error, delivered=True)
            self._let_go()
            await self._router._tell(usage)
            raise

    async def _open(self) -> str:
        """Asks members until one says something."""
        plan, last = self._begin(), None
        while True:
            attempt = await next_attempt(self._router, plan, last, True)
            self._attempt = attempt
            prompt, params = self._asked
            try:
                if native(attempt.member, True):
                    inner: Any = TextStream(attempt.core(), prompt, False, params, None)
                    self._inner = inner
                    first = await inner.__anext__()
                else:
                    inner = attempt.member.generate_stream(prompt, params).__aiter__()
                    self._inner = inner
                    first = await attempt.limited(inner.__anext__())
            except StopAsyncIteration:
                if self._ended:
                    raise  # closed meanwhile
                await self._router._tell(self._complete())
                raise
            except Exception as error:
                last, self._inner = error, None
                await self._router._tell(attempt.failed(error))
                continue
            self._first(attempt)
            return first  # type: ignore[no-any-return]

    def close(self) -> None:
        """Ends the stream now; from any thread. A member's own generator ends at its next step."""
        close = getattr(self._inner, "close", None)
        self._let_go()
        if close is not None:
            close()

    async def aclose(self) -> None:
        """Ends the stream now."""
        inner = self._inner
        self.close()
        if hasattr(inner, "aclose"):
            await inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


class BlockingRoutedStream(_Routed):
    """The same, for ``for`` and ``with``."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self._ended:
            raise StopIteration
        if self._inner is None:
            return self._open()
        attempt = self._attempt
        assert attempt is not None
        try:
            return self._step()
        except StopIteration:
            self._router._tell_blocking(self._complete())
            raise
        except Exception as error:
            usage = attempt.failed(error, delivered=True)
            self._let_go()
            self._router._tell_blocking(usage)
            raise

    def _step(self) -> str:
        if isinstance(self._inner, BlockingTextStream):
            return next(self._inner)
        try:
            piece: str = run(_step_of(self._inner))
            return piece
        except StopAsyncIteration:
            raise StopIteration from None

    def _open(self) -> str:
        plan, last = self._begin(), None
        while True:
            attempt = next_attempt_blocking(self._router, plan, last, True)
            self._attempt = attempt
            prompt, params = self._asked
            try:
                if native(attempt.member, True):
                    self._inner = BlockingTextStream(attempt.core(), prompt, False, params, None)
                else:
                    self._inner = attempt.member.generate_stream(prompt, params).__aiter__()
                first = self._step()
            except StopIteration:
                self._router._tell_blocking(self._complete())
                raise
            except Exception as error:
                last, self._inner = error, None
                self._router._tell_blocking(attempt.failed(error))
                continue
            self._first(attempt)
            return first

    def close(self) -> None:
        """Ends the stream now."""
        inner = self._inner
        self._let_go()
        if isinstance(inner, BlockingTextStream):
            inner.close()
        elif hasattr(inner, "aclose"):
            run(inner.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


async def _step_of(inner: Any) -> Any:
    return await inner.__anext__()
