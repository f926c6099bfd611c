"""Providers, their configuration and their exceptions."""

from __future__ import annotations

from .._absent import explain
from .base import (
    AuthenticationError,
    BaseProvider,
    ConfigurationError,
    GenerationParams,
    IncompleteStreamError,
    InsecureConnectionWarning,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    ProtocolError,
    ProviderConfig,
    ProviderError,
    RateLimitError,
    ServerError,
    ServiceConnectionError,
    TimeoutError,
)
from .gigachat import GigaChatProvider
from .mock import MockProvider

__all__ = [
    "AuthenticationError",
    "BaseProvider",
    "ConfigurationError",
    "GenerationParams",
    "GigaChatProvider",
    "IncompleteStreamError",
    "InsecureConnectionWarning",
    "InvalidRequestError",
    "MockProvider",
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


def __getattr__(name: str) -> object:
    raise explain(f"{__name__}.{name}") or AttributeError(
        f"module {__name__!r} has no attribute {name!r}"
    )
