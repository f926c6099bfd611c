"""GigaChat for Python: async and blocking calls, streams, routing over several providers.

>>> from orchestrator import GigaChatProvider
>>> provider = GigaChatProvider(api_key="...")
>>> provider.generate_sync("What is Python?")

Programs written for ``multi-llm-orchestrator`` run unchanged.
"""

from __future__ import annotations

import os

_LIBGIGACHAT = True  # tells the router that no other package has taken the place of this file

from . import _forms  # noqa: F401  # gives answers their dictionaries
from ._absent import explain
from ._gigachat import (
    Chunk,
    Document,
    Embeddings,
    FunctionCall,
    GeneratedFile,
    Model,
    Response,
    Source,
    Timings,
    Usage,
    __version__,
)
from ._streams import BlockingChunkStream, BlockingTextStream, ChunkStream, TextStream
from ._usage import UsageData
from .config import Config
from .providers import (
    AuthenticationError,
    BaseProvider,
    ConfigurationError,
    GenerationParams,
    GigaChatProvider,
    IncompleteStreamError,
    InsecureConnectionWarning,
    InvalidRequestError,
    MockProvider,
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
from .router import LLMRouter, Router, UsageCallback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .langchain import MultiLLMOrchestrator

__all__ = [
    "AuthenticationError",
    "BaseProvider",
    "BlockingChunkStream",
    "BlockingTextStream",
    "Chunk",
    "ChunkStream",
    "Config",
    "ConfigurationError",
    "Document",
    "Embeddings",
    "FunctionCall",
    "GeneratedFile",
    "GenerationParams",
    "GigaChatProvider",
    "IncompleteStreamError",
    "InsecureConnectionWarning",
    "InvalidRequestError",
    "LLMRouter",
    "MockProvider",
    "Model",
    "MultiLLMOrchestrator",
    "NotFoundError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "ProtocolError",
    "ProviderConfig",
    "ProviderError",
    "RateLimitError",
    "Response",
    "Router",
    "ServerError",
    "ServiceConnectionError",
    "Source",
    "TextStream",
    "TimeoutError",
    "Timings",
    "Usage",
    "UsageCallback",
    "UsageData",
    "__version__",
]

if os.path.exists(os.path.join(os.path.dirname(__file__), "prometheus_exporter.py")):
    # A file of multi-llm-orchestrator's that this package does not have.
    import warnings

    warnings.warn(
        "libgigachat and multi-llm-orchestrator are installed over each other, in the same folder:"
        " pip uninstall both, then install one",
        RuntimeWarning,
        stacklevel=2,
    )

if not TYPE_CHECKING:

    def __getattr__(name):
        if name == "MultiLLMOrchestrator":
            from .langchain import MultiLLMOrchestrator

            return MultiLLMOrchestrator
        raise explain(f"{__name__}.{name}") or AttributeError(
            f"module {__name__!r} has no attribute {name!r}"
        )
