"""What pydantic and JSON Schema are told of a ``Checked`` class. Loaded when they ask."""

from __future__ import annotations

import typing
from collections.abc import Mapping

if typing.TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core.core_schema import CoreSchema, SerializationInfo

_JSON_TYPES = {str: "string", float: "number", int: "integer", bool: "boolean"}


def core_schema(
    cls: type[typing.Any], refusal: Callable[[type, str | None, ValueError], ValueError]
) -> CoreSchema:
    """How pydantic makes an object of the class, and what it makes of one; ``refusal`` makes the error."""
    from pydantic_core import core_schema as pydantic

    def make(value: object) -> typing.Any:
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
            return cls(**value)
        text = f"a {type(value).__name__} is not accepted; it must be a {cls.__name__}, or a mapping of its options"
        raise refusal(cls, None, ValueError(text))

    def dump(value: typing.Any, info: SerializationInfo) -> dict[str, typing.Any]:
        found: dict[str, typing.Any] = value.model_dump(
            mode=info.mode,
            exclude_none=info.exclude_none,
            exclude_defaults=info.exclude_defaults,
            exclude_unset=info.exclude_unset,
        )
        return found

    serialization = pydantic.plain_serializer_function_ser_schema(dump, info_arg=True)
    return pydantic.no_info_plain_validator_function(make, serialization=serialization)


def json_schema(cls: type[typing.Any]) -> dict[str, typing.Any]:
    """The class as a JSON Schema."""
    hints = typing.get_type_hints(cls)
    properties = {}
    for name, default in cls._fields.items():
        shape = _shape(hints[name])
        properties[name] = {**shape, "default": default, "title": name.replace("_", " ").title()}
    return {
        "title": cls.__name__,
        "description": (cls.__doc__ or "").strip(),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _shape(annotation: typing.Any) -> dict[str, typing.Any]:
    if annotation in _JSON_TYPES:
        return {"type": _JSON_TYPES[annotation]}
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return {"enum": list(parts), "type": "string"}
    if isinstance(origin, type):
        if issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": {"type": "string"}}
        if origin.__name__ != "UnionType":
            return {"type": "array", "items": _shape(parts[0])}
    kinds = [_shape(part) for part in parts if part is not type(None)]
    return {"anyOf": [*kinds, {"type": "null"}]}
