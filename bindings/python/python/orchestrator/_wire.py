"""A chat request as programs write it -> JSON in the wire format."""

from __future__ import annotations

import json

from ._errors import InvalidRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def to_json(request: Any) -> str:
    """A list of messages, a dict in the wire format, or a prompt."""
    if isinstance(request, str):
        request = [{"role": "user", "content": request}]
    if isinstance(request, (list, tuple)):
        request = {"messages": request}
    try:
        return json.dumps(request, ensure_ascii=False, allow_nan=False, default=_model)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"request: not usable as JSON: {error}") from None


def _model(value: Any) -> Any:
    """What is no plain value: pydantic models, such as the official SDK's."""
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(f"a {type(value).__name__} is neither a plain value nor a model")
    return dump(exclude_none=True, by_alias=True)
