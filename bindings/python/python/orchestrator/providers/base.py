"""What every provider has in common, and the names that programs import from here."""

from __future__ import annotations

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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from logging import Logger
    from typing import Any

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


class BaseProvider(ABC):
    """The class that programs subclass to bring a provider of their own.

    A subclass writes ``generate`` and ``health_check``; ``generate_stream``, ``get_model_info``
    and ``_retry_with_backoff`` are given. It is routed like any other provider.
    """

    config: ProviderConfig
    logger: Logger

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self.logger.info("Initialized provider: %s", config.name)

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is not there: the logger is made when it is first asked for.
        if name != "logger":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        import logging

        logger = logging.getLogger(f"orchestrator.providers.{self.config.name}")
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
    ) -> AsyncIterator[str]:
        """Answers a prompt in parts; here in one, for providers that cannot stream."""
        yield await self.generate(prompt, params)

    def get_model_info(self) -> dict[str, Any]:
        """Name, model and class of this provider."""
        return {
            "name": self.config.name,
            "model": self.config.model,
            "provider_type": type(self).__name__,
        }

    async def _retry_with_backoff(
        self, func: Callable[[], Any], max_retries: int | None = None
    ) -> Any:
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
                self.logger.warning(
                    "Attempt %d/%d failed for %s: %s. Retrying in %ss...",
                    attempt,
                    attempts,
                    self.config.name,
                    error,
                    wait,
                )
            await asyncio.sleep(wait)
        return await func()
