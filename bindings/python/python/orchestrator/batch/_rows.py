"""The rows of a job in all the forms that programs have them -> a key and a request each."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from .._errors import InvalidRequestError
from .._wire import to_json

Key = str | int
Request = str | Mapping[str, Any] | Sequence[Any]

_USUAL_KEY = "id"


class Row:
    """One row: its key, what is asked, and a digest that tells whether it is still the same."""

    __slots__ = ("digest", "key", "request")

    def __init__(self, key: Key, request: Request) -> None:
        self.key = key
        self.request = request
        self.digest = blake2b(to_json(request).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def read_row(item: Any, number: int, key: str | None) -> Row:
    """A row from what the program gave; ``number`` is its place, and its key when it has none."""
    try:
        found, request = _parts(item, key)
        return Row(number if found is None else _key(found), request)
    except (TypeError, ValueError, InvalidRequestError) as error:
        raise ValueError(f"row {number}: {error}") from None


def _parts(item: Any, key: str | None) -> tuple[Any, Request]:
    if isinstance(item, str):
        return None, item
    if isinstance(item, list):
        return None, item
    if isinstance(item, tuple):
        if len(item) != 2:
            raise ValueError(f"a tuple is (key, prompt) or (key, messages); this one has {len(item)} parts")
        if not isinstance(item[1], (str, list, dict)):
            raise TypeError(f"(key, prompt): the prompt is a {type(item[1]).__name__}, not a text, messages or a request")
        if item[0] is None:
            raise TypeError("(key, prompt): the key is None")
        return item
    if isinstance(item, dict):
        return _of_dict(dict(item), key)
    raise TypeError(
        f"a {type(item).__name__} is no row; give a text, messages, (key, text), (key, messages),"
        " or a dict with prompt, messages or request"
    )


def _of_dict(fields: dict[Any, Any], key: str | None) -> tuple[Any, Request]:
    """A dict has its key, and either a prompt, or a request in the service's batch format, or is a request."""
    name = _USUAL_KEY if key is None else key
    found = fields.pop(name, None)
    if found is None and key is not None:
        raise ValueError(f"the field {key!r} with the key is missing")
    if "messages" in fields:
        return found, fields
    for whole in ("prompt", "request"):
        if whole in fields:
            request = fields.pop(whole)
            if fields:
                unknown = ", ".join(repr(field) for field in fields)
                raise ValueError(
                    f"{unknown} beside {whole!r} would not be sent: leave it out, or give"
                    " request={'messages': [...], ...} with all that is to be sent"
                )
            if not isinstance(request, str if whole == "prompt" else dict):
                raise TypeError(f"{whole!r} is a {type(request).__name__}")
            return found, request
    raise ValueError("a dict needs prompt, messages or request")


def _key(found: Any) -> Key:
    if isinstance(found, str):
        return str(found)
    if isinstance(found, bool):
        raise TypeError("a key is a text or a whole number, not a bool")
    try:
        return int(operator.index(found))  # numpy's integers too
    except TypeError:
        raise TypeError(f"a key is a text or a whole number, not a {type(found).__name__}") from None
