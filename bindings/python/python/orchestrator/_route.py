"""What a router has beside its public face: its members, how they are asked, what is told of attempts.

``Router``, its streams and the members' side stand on it.
"""

from __future__ import annotations

from ._errors import class_of
from ._gigachat import Caller, Member, Numbers
from ._gigachat import Router as Core
from .providers.gigachat import NATIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, Protocol

    from ._config import GenerationParams
    from ._gigachat import Provider, Usage
    from ._usage import UsageData
    from .providers.base import BaseProvider

    class Router(Protocol):
        """What is known here of the router that this belongs to."""

        _native: Mapping[str, Any]
        usage_callback: Callable[[UsageData], Awaitable[None]] | None

        @property
        def logger(self) -> logging.Logger: ...

    Attempt = tuple[int, str, bool, float, str, Usage | None, tuple[str, str, int | None] | None]
    """Router, member, whether in parts, seconds, model, usage, and kind, text and number of what was raised."""

WAYS = {"generate": 1, "generate_stream": 2, "chat": 4, "chat_stream": 8, "health_check": 16}
"""A member's methods that the driver calls, with their bits in ``Member.set_ways``."""


class Question:
    """What one call asks, as the program has given it."""

    __slots__: tuple[str, ...] = ("asked", "options", "params", "way")

    def __init__(
        self, way: str, asked: object, params: GenerationParams | None = None, options: dict[str, Any] | None = None
    ) -> None:
        self.way: str = way
        self.asked: object = asked
        self.params: GenerationParams | None = params
        self.options: dict[str, Any] | None = options

    @property
    def is_chat(self) -> bool:
        """Whether it is a request, not a prompt."""
        return self.way == "chat"

    @property
    def bits(self) -> int:
        """The ways in which its members may be asked."""
        if f"{self.way}_stream" not in WAYS:
            return WAYS["health_check"]
        return WAYS[self.way] | WAYS[f"{self.way}_stream"] | WAYS["health_check"]


class Seat:
    """A member in its place."""

    def __init__(self, provider: BaseProvider, member: Member, weight: int) -> None:
        self.provider: BaseProvider = provider
        self.member: Member = member
        self.weight: int = weight
        self.number: int = 0
        self._native: Provider | None = None
        self._ways: tuple[int, int] | None = None

    def look(self, bits: int, own: Mapping[str, Any]) -> int:
        """Tells the core which of these ways are Python's: overridden, patched, or without a native
        provider. ``own`` are the methods that are native. Returns them."""
        provider, in_python = self.provider, 0
        for way, bit in WAYS.items():
            if bits & bit and (getattr(type(provider), way, None) is not own.get(way) or way in vars(provider)):
                in_python |= bit
        core = getattr(provider, "_core", None) if in_python != bits else None
        if core is not None:
            try:
                native = core()
            except Exception:
                in_python = bits  # its method raises the same, in the attempt
            else:
                if native is not self._native:
                    self.member.set_native(native)
                    self._native = native
        if self._ways != (bits, in_python):
            self.member.set_ways(bits, in_python)
            self._ways = (bits, in_python)
        return in_python


class Route:
    """A router's members, and what is told of their attempts."""

    def __init__(self, router: Router, core: Core) -> None:
        self.router: Router = router
        self.core: Core = core
        self.seats: dict[str, Seat] = {}

    def member(self, number: int) -> BaseProvider | None:
        """The member of that number, here or in a router that is a member."""
        for seat in list(self.seats.values()):
            if seat.member.number == number:
                return seat.provider
            inner = getattr(seat.provider, "_route", None)
            found = inner.member(number) if isinstance(inner, Route) else None
            if found is not None:
                return found
        return None

    def look_around(
        self, question: Question, members: dict[int, BaseProvider], routes: dict[int, Route]
    ) -> bool:
        """Before a call: looks at each member, those of routers in here too. Whether any is asked in Python."""
        bits, in_python = question.bits, 0
        routes[self.core.id] = self
        for seat in list(self.seats.values()):
            provider = seat.provider
            members[seat.member.number] = provider
            inner = getattr(provider, "_route", None)
            if not isinstance(inner, Route):
                in_python |= seat.look(bits, NATIVE)
                continue
            asked = seat.look(bits, inner.router._native)
            in_python |= asked
            if asked != bits and inner.core.id not in routes:
                in_python |= inner.look_around(question, members, routes)
        return in_python != 0

    def has_own(self, question: Question) -> bool:
        """Whether a blocking call needs the private loop: for a member in Python, or for a callback."""
        routes: dict[int, Route] = {}
        in_python = self.look_around(question, {}, routes)
        return in_python or any(route.router.usage_callback is not None for route in routes.values())

    def numbers(self, name: str) -> Numbers | None:
        """What the core has counted of a member."""
        seat = self.seats.get(name)
        return None if seat is None else self.core.member(seat.number)

    def ask_blocking(self, question: Question, ask: Callable[[Provider], Any]) -> Any:
        """Makes a blocking call whose members are all native."""
        call = BlockingCall(self, question)
        try:
            return ask(self.core.provider(call))
        finally:
            call.tell()

    # What is told of attempts.

    def record(self, attempt: Attempt, raised: BaseException | None) -> dict[str, Any]:
        """Logs an attempt that has ended; returns what the usage callback is told."""
        _, name, streaming, seconds, model, usage, failure = attempt
        router, seat = self.router, self.seats.get(name)
        if not model and seat is not None:
            model = seat.provider.config.model or ""
        prompt_tokens = usage.prompt_tokens if usage else 0
        completion_tokens = usage.completion_tokens if usage else 0
        cost = self.core.cost(model, prompt_tokens, completion_tokens)
        told: dict[str, Any] = {
            "provider_name": name,
            "model": model,
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": usage.total_tokens if usage else 0,
            "cost": cost,
            "latency_ms": seconds * 1000,
            "success": failure is None,
            "streaming": streaming,
            "error_type": None,
        }
        logger = router.logger
        if failure is not None:
            from ._logs import escaped

            kind, text, _ = failure
            told["error_type"] = (class_of(kind) if raised is None else type(raised)).__name__
            logger.warning("Provider %s failed: %s", name, escaped(text if raised is None else raised))
        level, event = (20, "llm_request_completed") if failure is None else (30, "llm_request_failed")
        if logger.isEnabledFor(level):
            extra = {"provider": name, **{key: told[key] for key in _LOGGED}}
            if failure is None:
                extra.update({key: told[key] for key in _COUNTED}, cost_rub=round(cost, 2))
            else:
                extra["error_type"] = told["error_type"]
            logger.log(level, event, extra=extra)
        return told

    async def tell(self, usage: dict[str, Any]) -> None:
        """Awaits the usage callback; an error in it disturbs no request."""
        from ._usage import UsageData

        callback = self.router.usage_callback
        if callback is None:
            return
        try:
            await callback(UsageData(**usage))
        except Exception as error:
            from ._logs import escaped

            self.router.logger.warning("Usage callback failed: %s", escaped(error))


class BlockingCall:
    """A blocking call whose members are all native: no loop is told of its attempts, its thread is."""

    def __init__(self, route: Route, question: Question) -> None:
        self._route = route
        self._question = question
        self.caller: Caller | None = None
        self._routes: dict[int, Route] = {}

    def begin(self) -> Caller:
        """For the native half, when the call begins."""
        self._route.look_around(self._question, {}, self._routes)
        self.caller = Caller(None, 0, self._route.core.id, self._question.is_chat)
        return self.caller

    @property
    def answering(self) -> str | None:
        """The member that was asked last."""
        return self.caller.answering if self.caller is not None else None

    def tell(self) -> None:
        """Logs the attempts that have ended."""
        for attempt in self.caller.attempts() if self.caller is not None else ():
            route = self._routes.get(attempt[0])
            if route is not None:
                route.record(attempt, None)


_LOGGED = ("model", "latency_ms", "streaming", "success")
_COUNTED = ("prompt_tokens", "completion_tokens", "total_tokens")
