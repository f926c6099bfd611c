"""The exceptions. Plain classes with one positional message, since programs raise them too."""

from __future__ import annotations

import builtins
import sys

from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PUBLIC_MODULE = "orchestrator.providers.base"


class ProviderError(Exception):
    """Anything that went wrong with a provider. What is known of it is in its attributes."""

    # No defaults in the class: an engine's error of both classes asks its cause for what it lacks.
    kind: str
    """The cause, by the library's own name: ``rate_limit``, ``tls``, ``connection``, ..."""
    status_code: int | None
    """The HTTP status of the answer, when there was one."""
    code: int | None
    """The service's own code from the answer's body."""
    request_id: str | None
    """The service's request id, for its support."""
    retry_after: float | None
    """How many seconds the service asks to wait."""
    retryable: bool
    """Whether the same call may succeed later without a change."""
    attempts: int
    """How many requests were sent for the call."""
    phase: str | None
    """In which part of the call it failed: ``queue``, ``token``, ``connect``, ``answer``, ..."""
    body: bytes
    """The body of the service's answer, at most 64 KiB of it."""
    route_attempts: t.Sequence[t.Dict[str, t.Any]]
    """Every attempt of a routed call that failed, the last one included: ``member``, ``kind``,
    ``status_code``, ``request_id``, ``duration`` (seconds). Empty when no router was asked."""

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name in _UNKNOWN:
                return _UNKNOWN[name]
            if name == "kind":
                return next((_NAMES[cls] for cls in type(self).__mro__ if cls in _NAMES), "internal")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


_UNKNOWN = {
    "status_code": None,
    "code": None,
    "request_id": None,
    "retry_after": None,
    "retryable": False,
    "attempts": 0,
    "phase": None,
    "body": b"",
    "route_attempts": (),
}
"""What an error says that nothing is known of, such as one that a program raised."""


class AuthenticationError(ProviderError):
    """401: the authorization key, access token or password is wrong, expired or revoked."""


class RateLimitError(ProviderError):
    """429: too many requests at once or per second; see ``retry_after``."""


class TimeoutError(ProviderError, builtins.TimeoutError):
    """A time limit passed; ``phase`` tells which. Also the built-in ``TimeoutError``."""

    def __new__(cls, *args: t.Any) -> t.Self:
        if cls is TimeoutError and sys.version_info < (3, 11) and "asyncio" in sys.modules:
            return _timeout_of_asyncio().__new__(_timeout_of_asyncio(), *args)  # type: ignore[return-value]
        return super().__new__(cls, *args)


class InvalidRequestError(ProviderError):
    """400 or 422, or refused before anything was sent."""


class NotFoundError(InvalidRequestError):
    """404: no such model, file or path."""


class PayloadTooLargeError(InvalidRequestError):
    """413: larger than the model's context or the service's body limit."""


class PaymentRequiredError(ProviderError):
    """402: the paid tokens of this model are used up."""


class PermissionDeniedError(ProviderError):
    """403: this account may not do that."""


class ServerError(ProviderError):
    """5xx."""


class ServiceConnectionError(ProviderError, builtins.ConnectionError):
    """The service could not be reached, TLS included, or the connection broke."""


class ProtocolError(ProviderError):
    """The answer is not what the protocol allows."""


class IncompleteStreamError(ProviderError):
    """A stream ended without its end mark; ``partial_text`` has everything that arrived."""

    partial_text: str

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            return "" if name == "partial_text" else super().__getattr__(name)


class ConfigurationError(ProviderError, ValueError):
    """A configuration that turned out not to work, such as an unreadable certificate."""


class InsecureConnectionWarning(UserWarning):
    """TLS verification is off: anyone on the network can read the authorization key."""


def _timeout_of_asyncio() -> type[TimeoutError]:
    """On Python 3.10 asyncio's TimeoutError is a class of its own: one that is both.

    Made when asyncio is loaded, since importing this package must not load it.
    """
    global _both
    if _both is None:
        from asyncio import TimeoutError as OfAsyncio

        names = {
            "__doc__": TimeoutError.__doc__,
            "__module__": _PUBLIC_MODULE,
            "__qualname__": "TimeoutError",
            "__reduce__": _reduce_timeout,
        }
        _both = type("TimeoutError", (TimeoutError, OfAsyncio), names)
    return _both


_both: type[TimeoutError] | None = None


def _reduce_timeout(error: TimeoutError) -> tuple[Any, ...]:
    return TimeoutError, error.args, error.__dict__


_KINDS: dict[str, type[ProviderError]] = {
    # from api/gigachat.json: kinds
    "authentication": AuthenticationError,
    "payment_required": PaymentRequiredError,
    "permission_denied": PermissionDeniedError,
    "not_found": NotFoundError,
    "payload_too_large": PayloadTooLargeError,
    "invalid_request": InvalidRequestError,
    "rate_limit": RateLimitError,
    "server": ServerError,
    "timeout": TimeoutError,
    "connection": ServiceConnectionError,
    "tls": ServiceConnectionError,
    "protocol": ProtocolError,
    "incomplete_stream": IncompleteStreamError,
    "configuration": ConfigurationError,
    # end of kinds
}

_NAMES = {cls: kind for kind, cls in reversed(_KINDS.items())}
"""The kind of an error that a program has raised: by its class."""

for _class in {*_KINDS.values(), ProviderError, InsecureConnectionWarning}:
    _class.__module__ = _PUBLIC_MODULE
del _class  # pyright: ignore[reportPossiblyUnboundVariable]


def from_core(kind: str, message: str, known: dict[str, Any]) -> ProviderError:
    """The exception of an error of the native core."""
    partial_text = known.pop("partial_text")
    error = class_of(kind)(message)
    error.__dict__.update(known, kind=kind)
    if partial_text is not None:
        error.__dict__["partial_text"] = partial_text
    return error


def class_of(kind: str) -> type[ProviderError]:
    """The class of the native core's errors of this kind."""
    return _KINDS.get(kind, ProviderError)


def kind_of(error: BaseException) -> str:
    """The kind of what a program's own provider has raised, as the core decides by it."""
    if isinstance(error, ProviderError):
        return error.kind
    ssl, asyncio = sys.modules.get("ssl"), sys.modules.get("asyncio")
    if ssl is not None and isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, builtins.TimeoutError):
        return "timeout"
    if asyncio is not None and isinstance(error, asyncio.TimeoutError):  # one of its own on Python 3.10
        return "timeout"
    return "connection" if isinstance(error, builtins.ConnectionError) else "internal"


def known_of(error: BaseException | None) -> dict[str, Any]:
    """What an error says of itself, for the core; what is of another type than ours counts as unknown."""
    known: dict[str, Any] = dict(_KNOWN_TO_THE_CORE)
    if isinstance(error, ProviderError):
        for name, kind in _TYPES.items():
            value = getattr(error, name)
            if isinstance(value, kind):
                known[name] = value
    return known


_TYPES: dict[str, Any] = {
    "phase": str,
    "status_code": int,
    "code": int,
    "request_id": str,
    "retry_after": (int, float),
    "retryable": bool,
    "attempts": int,
    "route_attempts": (list, tuple),
}
_KNOWN_TO_THE_CORE = {name: _UNKNOWN[name] for name in _TYPES}
