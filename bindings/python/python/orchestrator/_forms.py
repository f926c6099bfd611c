"""Answers as dictionaries and JSON, under the names that pydantic has for it.

The classes are native and small; what is the same for all of them is put on here. pydantic and
FastAPI find ``__get_pydantic_core_schema__`` there, json and databases take ``to_dict()``.
"""

from __future__ import annotations

from ._gigachat import Chunk, FunctionCall, GeneratedFile, Model, Response, Source, Timings, Usage

from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELDS: dict[type[Any], tuple[str, ...]] = {
    Usage: ("prompt_tokens", "completion_tokens", "total_tokens", "precached_prompt_tokens"),
    FunctionCall: ("name", "arguments", "state_id", "id"),
    GeneratedFile: ("id", "kind", "mime"),
    Source: ("id", "url", "title"),
    Timings: ("queue", "token", "first_byte", "first_content", "total"),
    Model: ("id", "owned_by", "type"),
    Response: (
        "text",
        "finish_reason",
        "function_call",
        "function_calls",
        "reasoning",
        "files",
        "sources",
        "thread_id",
        "state_id",
        "api_version",
        "usage",
        "model",
        "request_id",
        "session_id",
        "timings",
        "attempts",
    ),
    Chunk: ("text", "reasoning", "function_call", "file", "finish_reason", "usage", "progress"),
}


def to_dict(self: t.Any) -> dict[str, t.Any]:
    """The fields as a dictionary of plain values; ``raw`` has what else the service sent."""
    return {name: _plain(getattr(self, name)) for name in FIELDS[type(self)]}


def model_dump(
    self: t.Any,
    *,
    mode: str = "python",
    include: t.Iterable[str] | None = None,
    exclude: t.Iterable[str] | None = None,
    by_alias: bool | None = None,
    exclude_none: bool = False,
) -> dict[str, t.Any]:
    """The same, with pydantic's name and options."""
    names = FIELDS[type(self)] if include is None else set(include)
    left_out = set(exclude or ())
    found = to_dict(self)
    return {
        name: value
        for name, value in found.items()
        if name in names and name not in left_out and not (exclude_none and value is None)
    }


def model_dump_json(self: t.Any, *, indent: int | None = None, **options: t.Any) -> str:
    """The same as JSON."""
    import json

    return json.dumps(model_dump(self, **options), ensure_ascii=False, indent=indent)


def _plain(value: Any) -> Any:
    if type(value) in FIELDS:
        return to_dict(value)
    return [_plain(one) for one in value] if type(value) in (tuple, list) else value


def _pairs(self: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    """Names and values, so that ``dict()`` takes it."""
    return iter(to_dict(self).items())


def _core_schema(cls: type[Any], _source: Any, _handler: Any) -> Any:
    from pydantic_core import core_schema

    serialization = core_schema.plain_serializer_function_ser_schema(to_dict)
    return core_schema.is_instance_schema(cls, serialization=serialization)


def _json_schema(cls: type[Any], _schema: Any, _handler: Any) -> dict[str, Any]:
    return {"title": cls.__name__, "type": "object", "properties": {name: {} for name in FIELDS[cls]}}


for _class in FIELDS:
    _class.to_dict = to_dict
    _class.model_dump = model_dump
    _class.model_dump_json = model_dump_json
    _class.__iter__ = _pairs
    _class.__get_pydantic_core_schema__ = classmethod(_core_schema)
    _class.__get_pydantic_json_schema__ = classmethod(_json_schema)
del _class  # pyright: ignore[reportPossiblyUnboundVariable]
