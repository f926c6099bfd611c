"""``Operations``: what a provider of the service answers beside prompts and chats."""

from __future__ import annotations

from .._errors import InvalidRequestError
from .._gigachat import Document, Embeddings
from .._params import checked_text
from .._params import of_call as _of_call
from .._typing import Mapping, Sequence, t
from .._typing import options as _options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable
    from typing import Any

    from .._gigachat import Port
    from .._gigachat import Provider as _Core

__all__ = ["Operations"]


class Operations:
    """Embeddings, token counts, and any path of the service; each with a blocking twin.

    ``timeout``, ``deadline``, ``extra_headers``, ``session_id`` and ``request_id`` are those of
    ``chat``.
    """

    if TYPE_CHECKING:

        def _core(self) -> _Core: ...

        async def _awaited(self, start: Callable[[_Core, Port, Future[Any]], int]) -> Any: ...

    async def get(
        self,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Document:
        """``GET`` of any path of the service: ``(await provider.get("/balance"))["balance"]``.

        Paths that begin with ``/v1/``, ``/v2/`` or ``/api/`` are the host's, others lie below ``base_url``.
        """
        options = _of_call(None, timeout, deadline, extra_headers, session_id, request_id)
        asked = _asked(f"GET {_path(path)}", options, query=query)
        answer: Document = await self._awaited(lambda core, port, future: core.ask(port, future, asked))
        return answer

    def get_sync(
        self,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Document:
        """The same, blocking."""
        options = _of_call(None, timeout, deadline, extra_headers, session_id, request_id)
        asked = _asked(f"GET {_path(path)}", options, query=query)
        answer: Document = self._core().ask_blocking(asked)
        return answer

    async def post(
        self,
        path: str,
        json: t.Any = None,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        query: Mapping[str, str | int] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Document:
        """``POST`` to any path of the service, as ``get``: of ``json``, or of ``data`` and its ``content_type``.

        It is sent again only when the service cannot have done it.
        """
        options = _of_call(None, timeout, deadline, extra_headers, session_id, request_id)
        asked = _posted(path, options, json, data, content_type, query)
        answer: Document = await self._awaited(lambda core, port, future: core.ask(port, future, asked))
        return answer

    def post_sync(
        self,
        path: str,
        json: t.Any = None,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        query: Mapping[str, str | int] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Document:
        """The same, blocking."""
        options = _of_call(None, timeout, deadline, extra_headers, session_id, request_id)
        asked = _posted(path, options, json, data, content_type, query)
        answer: Document = self._core().ask_blocking(asked)
        return answer

    async def embeddings(
        self,
        texts: Sequence[str],
        *,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Embeddings:
        """Vectors of texts, a row each; ``numpy.asarray`` takes them without a copy. Without ``model``, those of
        ``"Embeddings"``.

        Many texts are asked for in parts, so that each answer has room in ``max_body_bytes``.
        """
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        asked = _asked("embeddings", options, texts=_texts(texts))
        answer: Embeddings = await self._awaited(lambda core, port, future: core.ask(port, future, asked))
        return answer

    def embeddings_sync(
        self,
        texts: Sequence[str],
        *,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> Embeddings:
        """The same, blocking."""
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        asked = _asked("embeddings", options, texts=_texts(texts))
        answer: Embeddings = self._core().ask_blocking(asked)
        return answer

    async def count_tokens(
        self,
        texts: Sequence[str],
        *,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> list[int]:
        """How many tokens each text has. Without ``model``, for the provider's."""
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        asked = _asked("tokens_count", options, texts=_texts(texts))
        counts: list[int] = await self._awaited(lambda core, port, future: core.ask(port, future, asked))
        return counts

    def count_tokens_sync(
        self,
        texts: Sequence[str],
        *,
        model: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        session_id: _options.Id | None = None,
        request_id: _options.Id | None = None,
    ) -> list[int]:
        """The same, blocking."""
        options = _of_call(model, timeout, deadline, extra_headers, session_id, request_id)
        asked = _asked("tokens_count", options, texts=_texts(texts))
        counts: list[int] = self._core().ask_blocking(asked)
        return counts


def _asked(
    operation: str,
    options: Mapping[str, Any] | None,
    *,
    query: Mapping[str, str | int] | None = None,
    json: str | None = None,
    data: bytes | None = None,
    content_type: str | None = None,
    texts: list[str] | None = None,
) -> dict[str, Any]:
    """A request for an operation as the native core reads it."""
    return {
        "operation": operation,
        "query": None if query is None else _query(query),
        "json": json,
        "data": data,
        "content_type": content_type,
        "texts": texts,
        "options": options,
    }


def _posted(
    path: str,
    options: Mapping[str, Any] | None,
    json: Any,
    data: bytes | None,
    content_type: str | None,
    query: Mapping[str, str | int] | None,
) -> dict[str, Any]:
    if data is not None:
        if json is not None:
            raise InvalidRequestError("json: not accepted beside data; give one of the two")
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidRequestError(f"data: a {type(data).__name__} is not accepted; it must be bytes")
        data = bytes(data)
    elif content_type is not None:
        raise InvalidRequestError("content_type: not accepted without data")
    text = None if json is None else _json(json)
    operation = f"POST {_path(path)}"
    return _asked(operation, options, query=query, json=text, data=data, content_type=content_type)


def _json(value: Any) -> str:
    from json import dumps

    try:
        text = dumps(value, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise InvalidRequestError("json: it is nested too deep") from None
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"json: not usable as JSON: {error}") from None
    return checked_text("json", text)


def _path(path: object) -> str:
    if isinstance(path, str):
        return checked_text("path", path)
    raise InvalidRequestError(f"path: a {type(path).__name__} is not accepted; it must be a text, such as '/balance'")


def _query(query: object) -> dict[str, str]:
    if not isinstance(query, Mapping):
        raise InvalidRequestError(f"query: a {type(query).__name__} is not accepted; it must be a mapping")
    found = {}
    for name, value in query.items():
        if not isinstance(name, str) or type(value) is not int and not isinstance(value, str):
            odd = value if isinstance(name, str) else name
            raise InvalidRequestError(
                f"query: a {type(odd).__name__} in {name!r} is not accepted; values must be texts or whole numbers"
            )
        found[checked_text("query", name)] = checked_text("query", str(value))
    return found


def _texts(texts: object) -> list[str]:
    """The texts as a list; one text alone would be taken for its letters."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__"):
        raise InvalidRequestError(
            f"texts: a {type(texts).__name__} is not accepted; it must be a list of texts: [text]"
        )
    items: t.Any = texts
    found = list(items)
    for at, text in enumerate(found):
        if not isinstance(text, str):
            raise InvalidRequestError(f"texts[{at}]: a {type(text).__name__} is not accepted; it must be a text")
        checked_text(f"texts[{at}]", text)
    return found
