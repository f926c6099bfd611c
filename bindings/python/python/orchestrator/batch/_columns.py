"""A result as the columns of a table: their names and kinds, for parquet and for the engines."""

from __future__ import annotations

import json
from typing import Any

from ._result import USAGE, Result

_ERROR = ("kind", "status", "message", "retryable")

COLUMNS: dict[str, str] = {
    "text": "text",
    "finish_reason": "text",
    "model": "text",
    "request_id": "text",
    "function_call": "text",
    **dict.fromkeys(USAGE, "whole number"),
    "error_kind": "text",
    "error_status": "whole number",
    "error_message": "text",
    "error_retryable": "truth value",
}
"""What each row's answer is in a table. All may be missing."""


def columns_of(result: Result) -> dict[str, Any]:
    """The values of one row."""
    call, usage, error = result.function_call, result.usage, result.error
    values: dict[str, Any] = {
        "text": result.text,
        "finish_reason": result.finish_reason,
        "model": result.model,
        "request_id": result.request_id,
        "function_call": None if call is None else json.dumps(call, ensure_ascii=False),
    }
    for name in USAGE:
        values[name] = None if usage is None else getattr(usage, name)
    for name in _ERROR:
        values[f"error_{name}"] = None if error is None else getattr(error, name)
    return values
