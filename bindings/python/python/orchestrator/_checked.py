"""Objects whose attributes are checked when they are assigned, as pydantic models are."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, ClassVar

    from typing_extensions import Self

_SHOWN_SECRET = "**********"


class Checked:
    """Keeps each field in the instance's dictionary, so that reading one costs nothing extra."""

    _fields: ClassVar[dict[str, Any]]
    _secrets: ClassVar[frozenset[str]] = frozenset()
    _revision: int
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        raise NotImplementedError

    def _fill(self, values: Mapping[str, Any]) -> None:
        """Sets all fields; ``values`` may name no other."""
        for name in values:
            if name not in self._fields:
                raise _refusal(type(self), name, ValueError(self._no_such(name)))
        own = self.__dict__
        for name, default in self._fields.items():
            own[name] = self._checked(name, values[name]) if name in values else default
        own["_revision"] = 0

    def _checked(self, name: str, value: Any) -> Any:
        try:
            return self._check(name, value)
        except ValueError as error:
            raise _refusal(type(self), name, error) from None

    def _no_such(self, name: str) -> str:
        known = ", ".join(self._fields)
        return f"{name}: no such option of {type(self).__name__}; there are {known}"

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise _refusal(type(self), name, ValueError(self._no_such(name)))
        self.__dict__[name] = self._checked(name, value)
        self.__dict__["_revision"] += 1

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} cannot be deleted; assign another value")

    def model_dump(
        self,
        *,
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        exclude_none: bool = False,
        exclude_defaults: bool = False,
    ) -> dict[str, Any]:
        """The fields as a dictionary, which the class takes back as keywords."""
        names = [name for name in self._fields if include is None or name in set(include)]
        left_out = set(exclude or ())
        dump = {}
        for name in names:
            value = self.__dict__[name]
            if name in left_out or (exclude_none and value is None):
                continue
            if exclude_defaults and value == self._fields[name]:
                continue
            dump[name] = _plain(value)
        return dump

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with the fields of ``update`` changed (and checked)."""
        return type(self)(**{**self.model_dump(), **(update or {})})

    @classmethod
    def model_validate(cls, values: Mapping[str, Any]) -> Self:
        """An object of these fields."""
        return cls(**values)

    def __copy__(self) -> Self:
        return self.model_copy()

    def __deepcopy__(self, _memo: Any) -> Self:
        return self.model_copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.model_dump(exclude_defaults=True))

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


def _refusal(cls: type, name: str, error: ValueError) -> ValueError:
    """The error of a refused value; in a program that uses pydantic it is pydantic's own, which is
    a ``ValueError`` too: programs written for multi-llm-orchestrator may catch that."""
    pydantic = sys.modules.get("pydantic_core")
    if pydantic is None:
        return error
    problem = pydantic.PydanticCustomError("value_error", "{problem}", {"problem": str(error)})
    detail = {"type": problem, "loc": (name,), "input": None}
    refusal: ValueError = pydantic.ValidationError.from_exception_data(
        cls.__name__, [detail], hide_input=True
    )
    return refusal


def _plain(value: Any) -> Any:
    """A read-only view of a dictionary as a dictionary of its own."""
    return dict(value) if type(value) is _READ_ONLY else list(value) if type(value) is list else value


_READ_ONLY = type(type.__dict__)
"""``types.MappingProxyType``, without importing ``types``."""


def read_only(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A copy that refuses to be changed in place, which would go unnoticed."""
    view: Mapping[str, Any] = _READ_ONLY(dict(values))
    return view


def _restore(cls: Callable[..., Any], values: dict[str, Any]) -> Any:
    return cls(**values)
