"""``Result``: what became of one row, and how it stands in a line of the file."""

from __future__ import annotations

import json
from typing import Any

from .._errors import ProviderError
from .._gigachat import Response, Usage
from ._rows import Key, Row

USAGE = ("prompt_tokens", "completion_tokens", "total_tokens", "precached_prompt_tokens")
FIRST = b'{"key": '
"""How every line begins."""


class RowError:
    """Why a row has no answer."""

    __slots__ = {
        "kind": "The name of the exception's class, such as ``RateLimitError``.",
        "status": "The HTTP status, when there was an answer.",
        "message": "What went wrong.",
        "retryable": "Whether the same request may succeed later; a resumed job asks such rows again.",
    }
    kind: str
    status: int | None
    message: str
    retryable: bool

    def __init__(self, kind: str, status: int | None, message: str, retryable: bool) -> None:
        self.kind = kind
        self.status = status
        self.message = message
        self.retryable = retryable

    def __repr__(self) -> str:
        return f"RowError({self.kind}: {self.message})"


class Result:
    """One row's answer or error."""

    __slots__ = {
        "key": "The row's key.",
        "text": "The answer; ``None`` when there is an error.",
        "finish_reason": "``stop``, ``length``, ``function_call``, ``blacklist``, ...",
        "usage": "The tokens as the service counted them, when it said so.",
        "model": "The model that answered.",
        "request_id": "The service's id of the request, for its support.",
        "function_call": "The function that the model asks for, as a dict with ``name`` and ``arguments``.",
        "error": "A ``RowError`` when the row failed.",
        "digest": "Tells whether the row is still the same when a job is resumed.",
    }
    key: Key
    text: str | None
    finish_reason: str | None
    usage: Usage | None
    model: str | None
    request_id: str | None
    function_call: dict[str, Any] | None
    error: RowError | None
    digest: str | None

    def __init__(
        self,
        key: Key,
        text: str | None = None,
        *,
        finish_reason: str | None = None,
        usage: Usage | None = None,
        model: str | None = None,
        request_id: str | None = None,
        function_call: dict[str, Any] | None = None,
        error: RowError | None = None,
        digest: str | None = None,
    ) -> None:
        self.key = key
        self.text = text
        self.finish_reason = finish_reason
        self.usage = usage
        self.model = model
        self.request_id = request_id
        self.function_call = function_call
        self.error = error
        self.digest = digest

    def __repr__(self) -> str:
        said = f"text={self.text!r}" if self.error is None else f"error={self.error!r}"
        return f"Result(key={self.key!r}, {said})"

    def to_dict(self) -> dict[str, Any]:
        """The fields as a line of the file has them."""
        error, usage = self.error, self.usage
        fields: dict[str, Any] = {
            "key": self.key,
            "text": self.text,
            "finish_reason": self.finish_reason,
            "usage": None if usage is None else {name: getattr(usage, name) for name in USAGE},
            "model": self.model,
            "request_id": self.request_id,
            "error": None
            if error is None
            else {name: getattr(error, name) for name in ("kind", "status", "message", "retryable")},
            "digest": self.digest,
        }
        if self.function_call is not None:
            fields["function_call"] = self.function_call
        return fields

    def to_line(self) -> bytes:
        """The line of the file."""
        # A lone surrogate has no UTF-8 form; escaped it survives.
        text = json.dumps(self.to_dict(), ensure_ascii=False)
        try:
            return text.encode() + b"\n"
        except UnicodeEncodeError:
            return json.dumps(self.to_dict()).encode() + b"\n"

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Result:
        """The result that a line of the file tells of."""
        error, usage = fields["error"], fields.get("usage")
        return cls(
            fields["key"],
            fields.get("text"),
            finish_reason=fields.get("finish_reason"),
            usage=None if usage is None else Usage(**{name: int(usage.get(name, 0)) for name in USAGE}),
            model=fields.get("model"),
            request_id=fields.get("request_id"),
            function_call=fields.get("function_call"),
            error=None
            if error is None
            else RowError(error["kind"], error.get("status"), error["message"], bool(error["retryable"])),
            digest=fields.get("digest"),
        )


def answered(row: Row, response: Response) -> Result:
    """The result of a row that was answered."""
    call = response.function_call
    return Result(
        row.key,
        response.text,
        finish_reason=response.finish_reason,
        usage=response.usage,
        model=response.model,
        request_id=response.request_id,
        function_call=None if call is None else {"name": call.name, "arguments": call.arguments},
        digest=row.digest,
    )


def failed(row: Row, error: ProviderError) -> Result:
    """The result of a row that was not."""
    return Result(
        row.key,
        request_id=error.request_id,
        error=RowError(type(error).__name__, error.status_code, str(error), error.retryable),
        digest=row.digest,
    )
