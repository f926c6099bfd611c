"""Who answers a job's rows: a provider, a router, or a program's own provider; and how many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .._errors import AuthenticationError, PaymentRequiredError, PermissionDeniedError, ProviderError
from .._gigachat import Response
from ..providers.base import BaseProvider
from ..providers.gigachat import GigaChatProvider
from ..router import Router
from ._result import Result, answered, failed
from ._rows import Request, Row

Provider = GigaChatProvider | Router | BaseProvider

ENDS_THE_JOB = (AuthenticationError, PaymentRequiredError, PermissionDeniedError)
"""401, 402 and 403: what no other row would fare better with: a bad key, no tokens left, not allowed."""
_UNLIMITED = 32
"""Permits that are assumed where there is no limit."""
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before a failed row is asked again with ``on_error="retry"``."""


class Asker:
    """Asks for one row: an answer and an error both are results, unless the error ends the job."""

    def __init__(self, provider: Provider, on_error: str, options: dict[str, Any]) -> None:
        if on_error not in ("record", "raise", "retry"):
            raise ValueError(f"on_error: {on_error!r} is not one of record, raise, retry")
        self._ask = _way(provider, options)
        self._on_error = on_error
        self.permits = _permits(provider) or _UNLIMITED

    async def ask(self, row: Row) -> Result:
        """The row's result. Raises what ends the job."""
        pauses = iter(_PAUSES if self._on_error == "retry" else ())
        while True:
            try:
                return answered(row, await self._ask(row.request))
            except ProviderError as error:
                if isinstance(error, ENDS_THE_JOB) or self._on_error == "raise":
                    raise
                pause = next(pauses, None) if error.retryable else None
                if pause is None:
                    return failed(row, error)
                asked = error.retry_after
            await asyncio.sleep(pause if asked is None else asked)


def _way(provider: Provider, options: dict[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    if type(provider).chat is not BaseProvider.chat:
        ask: Callable[..., Awaitable[Response]] = provider.chat
        return lambda request: ask(request, **options)
    params = options.pop("params", None)
    if options:
        raise ValueError(f"{', '.join(options)}: a {type(provider).__name__} does not take this for a call")
    text: Callable[..., Awaitable[str]] = provider.generate

    async def text_only(request: Request) -> Response:
        if not isinstance(request, str):
            raise ValueError(f"a {type(provider).__name__} answers texts, not messages or requests")
        return Response(await text(request, params))

    return text_only


def _permits(provider: Provider) -> int:
    """How many calls run at once; 0 for any number."""
    if isinstance(provider, Router):
        return sum(_permits(member) or _UNLIMITED for member in provider.providers)
    return provider._core().permit_use()[0] if isinstance(provider, GigaChatProvider) else 0
