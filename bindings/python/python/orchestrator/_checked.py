"""Objects whose attributes are checked when they are assigned, as pydantic models are.

They have pydantic's own methods and are fields of its models, without pydantic being imported here.
"""

from __future__ import annotations

import sys

from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from inspect import Signature
    from typing import Any

_SHOWN_SECRET = "**********"


class _Signature:
    """The signature with every field, made when somebody inspects the class."""

    def __get__(self, _instance: object, cls: type[Checked]) -> Signature:
        import typing
        from inspect import Parameter, Signature

        hints = typing.get_type_hints(cls)
        kind = Parameter.KEYWORD_ONLY
        return Signature(
            [
                Parameter(name, kind, default=default, annotation=hints.get(name, Parameter.empty))
                for name, default in cls._fields.items()
            ]
        )


class FieldInfo:
    """What ``model_fields`` tells of a field."""

    _of: tuple[type[Checked], str]

    def __init__(self, cls: type[Checked], name: str) -> None:
        self._of = cls, name

    @property
    def default(self) -> Any:
        """The value of a field that is not given."""
        cls, name = self._of
        return cls._fields[name]

    @property
    def annotation(self) -> Any:
        """Its type."""
        import typing

        cls, name = self._of
        return typing.get_type_hints(cls)[name]

    def is_required(self) -> bool:
        """No field is."""
        return False

    def __repr__(self) -> str:
        return f"FieldInfo(default={self.default!r})"


class _ModelFields:
    def __get__(self, _instance: object, cls: type[Checked]) -> dict[str, FieldInfo]:
        return {name: FieldInfo(cls, name) for name in cls._fields}


class _OfDataclass:
    """What ``dataclasses`` finds on its classes, made when it is asked for. FastAPI takes such classes
    for request bodies, as it does pydantic's."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _instance: object, cls: type[Checked]) -> Any:
        import dataclasses

        secret = cls._secrets
        fields = [
            (name, field.annotation, dataclasses.field(default=field.default, repr=name not in secret))
            for name, field in cls.model_fields.items()
        ]
        return getattr(dataclasses.make_dataclass(cls.__name__, fields, kw_only=True), self._name)


class Checked:
    """Keeps each field in the instance's dictionary, so that reading one costs nothing extra."""

    _fields: t.ClassVar[t.Mapping[str, t.Any]]
    _secrets: t.ClassVar[frozenset[str]] = frozenset()
    _aliases: t.ClassVar[t.Mapping[str, str]] = {}
    _revision: int
    __hash__: t.ClassVar[None] = None  # type: ignore[assignment]  # it can change

    model_fields: t.ClassVar[_ModelFields] = _ModelFields()
    """The fields by their names."""

    if not TYPE_CHECKING:
        __signature__ = _Signature()
        __dataclass_fields__ = _OfDataclass("__dataclass_fields__")
        __dataclass_params__ = _OfDataclass("__dataclass_params__")

        def __init__(self, **options):
            self._fill(options)

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        raise NotImplementedError

    def _fill(self, values: Mapping[str, Any]) -> None:
        """Sets all fields; ``values`` may name no other."""
        values = self._translated(values)
        own = self.__dict__
        for name, default in self._fields.items():
            own[name] = self._checked(name, values[name]) if name in values else default
        own["_revision"] = 0
        own["_given"] = set(values)

    @classmethod
    def _translated(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values under the names that they have here."""
        if cls._fields.keys() >= values.keys():
            return values
        found = {}
        for name, value in values.items():
            ours = name if name in cls._fields else cls._aliases.get(name)
            if ours is None:
                raise refusal(cls, name, ValueError(cls._no_such(name)))
            if ours != name and ours in values:
                problem = f"{name}: it is another word for {ours}, which is given too"
                raise refusal(cls, name, ValueError(problem))
            found[ours] = value
        return found

    def _checked(self, name: str, value: Any) -> Any:
        try:
            return self._check(name, value)
        except ValueError as error:
            raise refusal(type(self), name, error) from None

    @classmethod
    def _no_such(cls, name: str) -> str:
        from difflib import get_close_matches

        known = [*cls._fields, *cls._aliases]
        close = get_close_matches(name, known, 1)
        says = f"{name}: no such option of {cls.__name__}; "
        if close:
            return f"{says}did you mean {cls._aliases.get(close[0], close[0])}?"
        return f"{says}there are {', '.join(cls._fields)}"

    if not TYPE_CHECKING:  # a type checker takes it for leave to assign anything

        def __setattr__(self, name, value):
            if name not in self._fields:
                raise refusal(type(self), name, ValueError(self._no_such(name)))
            self.__dict__[name] = self._checked(name, value)
            self.__dict__["_given"].add(name)
            self.__dict__["_revision"] += 1

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} cannot be deleted; assign another value")

    # pydantic's own methods, as far as they say something of a class without nested models.

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: t.Iterable[str] | None = None,
        exclude: t.Iterable[str] | None = None,
        by_alias: bool | None = None,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> t.Dict[str, t.Any]:
        """The fields as a dictionary, which the class takes back as keywords."""
        names = self._fields if include is None else set(include) & self._fields.keys()
        left_out = set(exclude or ())
        dump = {}
        for name in self._fields:
            value = self.__dict__[name]
            if name not in names or name in left_out or (exclude_none and value is None):
                continue
            if exclude_defaults and value == self._fields[name]:
                continue
            if exclude_unset and name not in self.__dict__["_given"]:
                continue
            dump[name] = _json_plain(value) if mode == "json" else _plain(value)
        return dump

    def model_dump_json(self, *, indent: int | None = None, **options: t.Any) -> str:
        """The fields as JSON; options as those of ``model_dump``."""
        import json

        return json.dumps(self.model_dump(mode="json", **options), ensure_ascii=False, indent=indent)

    def model_copy(self, *, update: t.Mapping[str, t.Any] | None = None, deep: bool = False) -> t.Self:
        """A copy, with the fields of ``update`` changed (and checked)."""
        values = {**self.model_dump(), **self._translated(update or {})}
        twin = type(self)(**values)
        twin.__dict__["_given"] = self.__dict__["_given"] | set(self._translated(update or {}))
        return twin

    @classmethod
    def model_validate(cls, values: t.Mapping[str, t.Any] | t.Self) -> t.Self:
        """An object of these fields."""
        return values if isinstance(values, cls) else cls(**values)  # type: ignore[arg-type]

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> t.Self:
        """An object of these fields as JSON."""
        import json

        return cls(**json.loads(text))

    @classmethod
    def model_json_schema(cls) -> t.Dict[str, t.Any]:
        """The fields as a JSON Schema."""
        from ._schema import json_schema

        return json_schema(cls)

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that were given or assigned."""
        return set(self.__dict__["_given"])

    def dict(self, **options: t.Any) -> t.Dict[str, t.Any]:
        """``model_dump`` by its older name."""
        return self.model_dump(**options)

    def json(self, **options: t.Any) -> str:
        """``model_dump_json`` by its older name."""
        return self.model_dump_json(**options)

    def copy(self, *, update: t.Mapping[str, t.Any] | None = None, deep: bool = False) -> t.Self:
        """``model_copy`` by its older name."""
        return self.model_copy(update=update, deep=deep)

    @classmethod
    def parse_obj(cls, values: t.Mapping[str, t.Any]) -> t.Self:
        """``model_validate`` by its older name."""
        return cls.model_validate(values)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: t.Any, _handler: t.Any) -> t.Any:
        from ._schema import core_schema

        return core_schema(cls, refusal)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: t.Any, _handler: t.Any) -> t.Dict[str, t.Any]:
        return cls.model_json_schema()

    def __iter__(self) -> t.Iterator[tuple[str, t.Any]]:
        """Names and values, so that ``dict()`` takes it."""
        return iter(self.model_dump().items())

    def __copy__(self) -> t.Self:
        return self.model_copy()

    def __deepcopy__(self, _memo: t.Any) -> t.Self:
        return self.model_copy()

    def __reduce__(self) -> tuple[t.Any, ...]:
        return restore, (type(self), self.model_dump(exclude_defaults=True))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(self.__dict__[name] == other.__dict__[name] for name in self._fields)

    def __repr__(self) -> str:
        shown = []
        for name, default in self._fields.items():
            # An object whose making was refused is shown by debuggers and tracebacks, as far as it came.
            value = self.__dict__.get(name, default)
            if value == default and name != "name":
                continue
            if name in self._secrets and value:
                shown.append(f"{name}={_SHOWN_SECRET!r}")
            else:
                shown.append(f"{name}={_plain(value)!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def refusal(cls: type, name: str | None, error: ValueError) -> ValueError:
    """The error of a refused value; in a program that uses pydantic it is pydantic's own, which is
    a ``ValueError`` too: programs written for multi-llm-orchestrator may catch that."""
    pydantic = sys.modules.get("pydantic_core")
    if pydantic is None:
        return error
    problem = pydantic.PydanticCustomError("value_error", "{problem}", {"problem": str(error)})
    detail = {"type": problem, "loc": () if name is None else (name,), "input": None}
    refusal: ValueError = pydantic.ValidationError.from_exception_data(
        cls.__name__, [detail], hide_input=True
    )
    return refusal


def _plain(value: Any) -> Any:
    """A read-only view of a dictionary as a dictionary of its own."""
    return dict(value) if type(value) is _READ_ONLY else list(value) if type(value) is list else value


def _json_plain(value: Any) -> Any:
    """The same for JSON, which knows lists only, and texts for paths."""
    if isinstance(value, (tuple, list)):
        return [_json_plain(part) for part in value]
    return value.__fspath__() if hasattr(value, "__fspath__") else _plain(value)


_READ_ONLY = type(type.__dict__)
"""``types.MappingProxyType``, without importing ``types``."""


def read_only(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A copy that refuses to be changed in place, which would go unnoticed."""
    view: Mapping[str, Any] = _READ_ONLY(dict(values))
    return view


def restore(cls: Callable[..., Any], values: dict[str, Any]) -> Any:
    return cls(**values)
