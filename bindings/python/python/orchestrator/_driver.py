"""Drives a router's plan for one request: asks the core for the next step, does it, reports.

Whom to ask, when to fall back and how long to wait is decided in the core. Here members are
called, which may be native or a program's own subclasses, and what they raise is told to the
plan. A cancelled attempt is not reported: dropping the plan gives it back.
"""

from __future__ import annotations

import builtins
import time

from ._errors import (
    AuthenticationError,
    ConfigurationError,
    IncompleteStreamError,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    ServerError,
    TimeoutError,
)
from .providers.gigachat import GigaChatProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from ._gigachat import Plan, Provider, Usage
    from .providers.base import BaseProvider
    from .router import Router

_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (AuthenticationError, "authentication"),
    (PaymentRequiredError, "payment_required"),
    (PermissionDeniedError, "permission_denied"),
    (NotFoundError, "not_found"),
    (PayloadTooLargeError, "payload_too_large"),
    (InvalidRequestError, "invalid_request"),
    (RateLimitError, "rate_limit"),
    (ServerError, "server"),
    (TimeoutError, "timeout"),
    (IncompleteStreamError, "incomplete_stream"),
    (ProtocolError, "protocol"),
    (ConfigurationError, "configuration"),
    (builtins.TimeoutError, "timeout"),
    (builtins.ConnectionError, "connection"),
)

_GENERATE = GigaChatProvider.generate
_STREAM = GigaChatProvider.generate_stream


def native(member: BaseProvider, streaming: bool) -> bool:
    """Whether the member's method is our own: not overridden, not patched."""
    if not isinstance(member, GigaChatProvider):
        return False
    name, own = ("generate_stream", _STREAM) if streaming else ("generate", _GENERATE)
    return name not in member.__dict__ and getattr(type(member), name) is own


class Attempt:
    """One attempt at one member, from its start to its report."""

    def __init__(self, router: Router, plan: Plan, number: int, seconds: float | None, streaming: bool) -> None:
        self.router = router
        self.plan = plan
        self.member: BaseProvider = router._members[number]
        self.seconds = seconds
        self.streaming = streaming
        self.begun = time.perf_counter()
        router.logger.info("Trying provider: %s", self.member.config.name)

    def core(self) -> Provider:
        """The native member, within the limits of this attempt."""
        member = self.member
        assert isinstance(member, GigaChatProvider)
        return member._core().limited(self.seconds)

    async def limited(self, work: Awaitable[Any]) -> Any:
        """Awaits a program's own member within the limits of this attempt."""
        if self.seconds is None:
            return await work
        import asyncio

        try:
            return await asyncio.wait_for(work, self.seconds)
        except asyncio.TimeoutError:
            raise TimeoutError(
                f"{self.member.config.name} did not answer within its share of the deadline"
            ) from None

    def answered(self, model: str | None, usage: Usage | None, requests: int = 1) -> dict[str, Any]:
        """Reports an answer; returns what the usage callback is told."""
        model = model or self.member.config.model or ""
        self.plan.answered(model, usage, requests)
        return self._ended(model, usage, None)

    def failed(self, error: BaseException, delivered: bool = False) -> dict[str, Any]:
        """Reports a failure; returns what the usage callback is told."""
        kind = next((name for cls, name in _KINDS if isinstance(error, cls)), "internal")
        known = error if isinstance(error, ProviderError) else ProviderError()
        self.plan.attempt_failed(
            kind,
            known.phase,
            known.status_code,
            known.request_id,
            known.retry_after,
            known.attempts or 1,
            delivered,
        )
        from ._logs import escaped

        self.router.logger.warning("Provider %s failed: %s", self.member.config.name, escaped(error))
        return self._ended(self.member.config.model or "", None, error)

    def _ended(self, model: str, usage: Usage | None, error: BaseException | None) -> dict[str, Any]:
        prompt_tokens = usage.prompt_tokens if usage else 0
        completion_tokens = usage.completion_tokens if usage else 0
        return self.router._record(
            self.member.config.name,
            {
                "provider_name": self.member.config.name,
                "model": model,
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": usage.total_tokens if usage else 0,
                "cost": self.router._planner.cost(model, prompt_tokens, completion_tokens),
                "latency_ms": (time.perf_counter() - self.begun) * 1000,
                "success": error is None,
                "streaming": self.streaming,
                "error_type": None if error is None else type(error).__name__,
            },
        )


def all_failed(error: BaseException | None, retry_after: float | None) -> BaseException:
    """The last attempt's own error; a rate limit says when the first member may be asked again."""
    if isinstance(error, RateLimitError) and error.retry_after is None and retry_after is not None:
        error.retry_after = retry_after
    return error or ProviderError("All providers failed")


async def next_attempt(router: Router, plan: Plan, last: BaseException | None, streaming: bool) -> Attempt:
    """Waits and probes as the plan says, until there is a member to ask."""
    while True:
        kind, number, seconds = plan.next()
        if kind == "attempt":
            return Attempt(router, plan, number, seconds, streaming)
        if kind == "failed":
            router.logger.error("All providers failed")
            raise all_failed(last, seconds)
        if kind == "wait":
            await _wait(plan, seconds or 0.0)
        else:
            plan.probed(await _healthy(router._members[number], seconds))


async def _wait(plan: Plan, seconds: float) -> None:
    """Waits for so long, or until something changes that the plan waits for."""
    import asyncio

    from ._bridge import port as running

    loop, port = running()
    future = loop.create_future()
    number = plan.watch(port, future)
    if number is None:
        return
    try:
        await asyncio.wait_for(future, seconds)
    except asyncio.TimeoutError:
        pass
    finally:
        port.forget(number)


async def _healthy(member: BaseProvider, seconds: float | None) -> bool:
    import asyncio

    try:
        return bool(await asyncio.wait_for(member.health_check(), seconds))
    except Exception:
        return False


def next_attempt_blocking(router: Router, plan: Plan, last: BaseException | None, streaming: bool) -> Attempt:
    """The same as a thread."""
    from ._own_loop import run

    while True:
        kind, number, seconds = plan.next()
        if kind == "attempt":
            return Attempt(router, plan, number, seconds, streaming)
        if kind == "failed":
            router.logger.error("All providers failed")
            raise all_failed(last, seconds)
        if kind == "wait":
            plan.wait_blocking()
        else:
            plan.probed(run(_healthy(router._members[number], seconds)))
