"""Providers, their configuration and their exceptions."""

from __future__ import annotations

from .._absent import explain
from .._gigachat import Chunk, FunctionCall, Model, Response, Timings, Usage
from .._streams import BlockingChunkStream, BlockingTextStream, ChunkStream, TextStream
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
    "BlockingChunkStream",
    "BlockingTextStream",
    "Chunk",
    "ChunkStream",
    "ConfigurationError",
    "FunctionCall",
    "GenerationParams",
    "GigaChatProvider",
    "IncompleteStreamError",
    "InsecureConnectionWarning",
    "InvalidRequestError",
    "MockProvider",
    "Model",
    "NotFoundError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "ProtocolError",
    "ProviderConfig",
    "ProviderError",
    "RateLimitError",
    "Response",
    "ServerError",
    "ServiceConnectionError",
    "TextStream",
    "TimeoutError",
    "Timings",
    "Usage",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:

    def __getattr__(name):
        raise explain(f"{__name__}.{name}") or AttributeError(
            f"module {__name__!r} has no attribute {name!r}"
        )
