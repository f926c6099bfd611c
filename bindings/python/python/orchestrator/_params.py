"""What one call says beside its request: parameters, ids and headers, as programs write them."""

from __future__ import annotations

from ._config import GenerationParams
from ._errors import InvalidRequestError
from ._typing import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class _Some(GenerationParams):
    """Only those that were given; the model decides on the others."""

    _fields = dict.fromkeys(GenerationParams._fields)

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        return None if value is None else GenerationParams._check(name, value)


def given(
    params: GenerationParams | Mapping[str, Any] | None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    top_p: float | None = None,
    stop: Sequence[str] | None = None,
) -> GenerationParams | None:
    """The parameters of a call; a keyword goes before the same parameter of ``params``."""
    single = temperature is not None or max_tokens is not None or top_p is not None or stop is not None
    if not single and (params is None or hasattr(params, "temperature")):
        return params  # type: ignore[return-value]
    values: dict[str, Any] = {}
    if isinstance(params, Mapping):
        values.update(params)
    elif hasattr(params, "temperature"):
        values.update({name: getattr(params, name) for name in GenerationParams._fields})
    elif params is not None:
        raise TypeError(
            f"params: a {type(params).__name__} is not accepted; it must be a GenerationParams, or a mapping of"
            " temperature, max_tokens, top_p and stop"
        )
    keywords = {"temperature": temperature, "max_tokens": max_tokens, "top_p": top_p, "stop": stop}
    values.update({name: value for name, value in keywords.items() if value is not None})
    for name, value in values.items():
        if name not in GenerationParams._fields:
            raise InvalidRequestError(f"params: {GenerationParams._no_such(str(name))}")
        try:
            values[name] = _Some._check(name, value)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
    return _Some(**values)


def of_call(
    model: str | None,
    timeout: float | None,
    deadline: float | None,
    extra_headers: Mapping[str, str] | None,
    session_id: object,
    request_id: object,
) -> dict[str, Any] | None:
    """What the call sets for itself; usually nothing."""
    if (
        model is None
        and timeout is None
        and deadline is None
        and extra_headers is None
        and session_id is None
        and request_id is None
    ):
        return None
    return {
        "model": None if model is None else _model_name(model),
        "timeout": timeout,
        "deadline": deadline,
        "extra_headers": None if extra_headers is None else header_texts(extra_headers),
        "session_id": None if session_id is None else id_text("session_id", session_id),
        "request_id": None if request_id is None else id_text("request_id", request_id),
    }


def _model_name(model: object) -> str:
    if isinstance(model, str):
        return checked_text("model", model)
    raise InvalidRequestError(f"model: a {type(model).__name__} is not accepted; it must be a text")


def asked_with(
    params: GenerationParams | Mapping[str, Any] | None,
    *,
    temperature: float | None = None,
    max_tokens: int | None = None,
    top_p: float | None = None,
    stop: Sequence[str] | None = None,
    model: str | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    extra_headers: Mapping[str, str] | None = None,
    session_id: object = None,
    request_id: object = None,
) -> tuple[GenerationParams | None, dict[str, Any] | None]:
    """Parameters and options of a call, from its keywords."""
    options = of_call(model, timeout, deadline, extra_headers, session_id, request_id)
    return given(params, temperature, max_tokens, top_p, stop), options


def id_text(name: str, value: object) -> str:
    """An id as text: programs have numbers (of a chat) and UUIDs too."""
    if isinstance(value, str):
        return checked_text(name, value)
    if type(value) is int or (type(value).__name__, type(value).__module__) == ("UUID", "uuid"):
        return str(value)
    raise InvalidRequestError(
        f"{name}: a {type(value).__name__} is not accepted; it must be a text, a whole number or a UUID"
    )


def header_texts(headers: object) -> dict[str, str]:
    """Headers of one call; what is no text is named."""
    if not isinstance(headers, Mapping):
        raise InvalidRequestError(
            f"extra_headers: a {type(headers).__name__} is not accepted; it must be a mapping of names to texts"
        )
    found = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            odd = name if not isinstance(name, str) else value
            raise InvalidRequestError(
                f"extra_headers: a {type(odd).__name__} in {name!r} is not accepted; names and values must be texts"
            )
        found[checked_text("extra_headers", name)] = checked_text("extra_headers", value)
    return found


def checked_text(name: str, text: str) -> str:
    """The text, if it can be sent: a surrogate without its other half is no character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            f"{name}: not a text: half of a surrogate pair, U+{ord(text[error.start]):04X}, at character {error.start}"
        ) from None
    return text
