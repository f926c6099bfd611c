"""What every provider has in common, and the names that programs import from here."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from .._config import GenerationParams, ProviderConfig
from .._errors import (
    AuthenticationError,
    ConfigurationError,
    IncompleteStreamError,
    InsecureConnectionWarning,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    ServerError,
    ServiceConnectionError,
    TimeoutError,
)

from .._gigachat import Chunk, Response
from .._typing import Callable, Mapping, Sequence, logging, t
from .._typing import options as _options

TYPE_CHECKING = False
if TYPE_CHECKING:
    ChatRequest = t.Union[str, Mapping[str, object], Sequence[object]]
else:
    ChatRequest = str | Mapping[str, object] | Sequence[object]

__all__ = [
    "AuthenticationError",
    "BaseProvider",
    "ConfigurationError",
    "GenerationParams",
    "IncompleteStreamError",
    "InsecureConnectionWarning",
    "InvalidRequestError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "ProtocolError",
    "ProviderConfig",
    "ProviderError",
    "RateLimitError",
    "ServerError",
    "ServiceConnectionError",
    "TimeoutError",
]

_LONGEST_BACKOFF = 30
_OF_ANNOTATIONS = (os, _options)  # those of ProviderConfig are resolved here, where programs import it from


class BaseProvider(ABC):
    """The class that programs subclass to bring a provider of their own.

    A subclass writes ``generate`` and ``health_check``; ``generate_stream``, ``chat``,
    ``chat_stream``, ``get_model_info`` and ``_retry_with_backoff`` are given. It is routed like any
    other provider.
    """

    config: ProviderConfig
    logger: logging.Logger

    def __init__(self, config: ProviderConfig) -> None:
        if not isinstance(config, ProviderConfig):
            raise TypeError(
                f"config: a {type(config).__name__} is not accepted; it must be a ProviderConfig, as in"
                f" {type(self).__name__}(ProviderConfig(api_key=...))"
            )
        self.config = config
        self.logger.info("Initialized provider: %s", config.name)

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            # Reached only for what is not there: the logger is made when it is first asked for.
            if name != "logger":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            from .._logs import logger_of

            logger = logger_of(f"providers.{self.config.name}")
            vars(self)["logger"] = logger
            return logger

    @abstractmethod
    async def generate(self, prompt: str, params: GenerationParams | None = None) -> str:
        """Answers a prompt."""

    @abstractmethod
    async def health_check(self) -> bool:
        """Whether the provider can serve now."""

    async def generate_stream(
        self, prompt: str, params: GenerationParams | None = None
    ) -> t.AsyncIterator[str]:
        """Answers a prompt in parts; here in one, for providers that cannot stream."""
        yield await self.generate(prompt, params)

    async def chat(self, request: ChatRequest, params: GenerationParams | None = None) -> Response:
        """Answers a request; here by ``generate``, if it is one message of the user and no more.

        A router asks its next member where this one cannot.
        """
        text = await self.generate(self._prompt_of(request), params)
        return Response(text, model=self.config.model or "")

    async def chat_stream(
        self, request: ChatRequest, params: GenerationParams | None = None
    ) -> t.AsyncIterator[Chunk]:
        """Answers a request in chunks; here by ``generate_stream``, if it is one message of the user."""
        async for text in self.generate_stream(self._prompt_of(request), params):
            yield Chunk(text)
        yield Chunk(finish_reason="stop")

    def _prompt_of(self, request: ChatRequest) -> str:
        from .._wire import prompt_of

        prompt = prompt_of(request)
        if prompt is None:
            raise NotFoundError(
                f"{type(self).__name__} answers one message of the user and no functions or fields; for other"
                " requests it needs a method chat() of its own"
            )
        return prompt

    def get_model_info(self) -> dict[str, t.Any]:
        """Name, model and class of this provider."""
        return {
            "name": self.config.name,
            "model": self.config.model,
            "provider_type": type(self).__name__,
        }

    async def _retry_with_backoff(
        self, func: Callable[[], t.Any], max_retries: int | None = None
    ) -> t.Any:
        """Awaits ``func()`` until it succeeds, at most ``max_retries`` times (but once).

        ``RateLimitError`` and ``TimeoutError`` earn another attempt, after 1, 2, 4 ... 30 seconds
        or after what the service asked for.
        """
        import asyncio

        attempts = max(1, self.config.max_retries if max_retries is None else max_retries)
        for attempt in range(1, attempts):
            try:
                return await func()
            except (RateLimitError, TimeoutError) as error:
                wait = error.retry_after
                if wait is None:
                    wait = min(2 ** (attempt - 1), _LONGEST_BACKOFF)
                from .._logs import escaped

                self.logger.warning(
                    "Attempt %d/%d failed for %s: %s. Retrying in %ss...",
                    attempt,
                    attempts,
                    self.config.name,
                    escaped(error),
                    wait,
                )
            await asyncio.sleep(wait)
        return await func()
