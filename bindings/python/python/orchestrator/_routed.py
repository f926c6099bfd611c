"""Streams of a router, as objects: before the first chunk another member may be asked, after it
never (nothing is delivered twice, nothing is mixed)."""

from __future__ import annotations

from ._gigachat import AsyncReader, Chunk, Timings, Usage
from ._members import Call
from ._own_loop import is_here, run
from ._route import BlockingCall, Question, Route
from ._streams import BlockingChunkStream, BlockingTextStream
from ._typing import t

TYPE_CHECKING = False


class _Routed(AsyncReader):
    """What both asynchronous streams share."""

    _call: Call

    @property
    def provider_name(self) -> str | None:
        """The member that answers; known from the first piece on."""
        return self._call.answering if self._has_begun() else None

    def __aiter__(self) -> t.Self:
        return self

    async def __anext__(self) -> t.Any:
        try:
            return await super().__anext__()
        except (StopAsyncIteration, Exception):
            await self._call.settled()
            raise

    def close(self) -> None:
        """Ends the stream now; from any thread. A member's own generator is cancelled."""
        self._call.closed = True
        super().close()

    async def aclose(self) -> None:
        """Ends the stream now, and waits until a member's own generator has cleaned up."""
        self.close()
        await self._call.end()

    async def __aenter__(self) -> t.Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


class RoutedStream(_Routed):
    """The pieces of a routed answer, for ``async for``; the first one decides who answers.

    The request is sent at the first read. After the end ``usage``, ``finish_reason``, ``model``,
    ``request_id``, ``timings`` and ``provider_name`` are known.
    """

    if TYPE_CHECKING:

        async def __anext__(self) -> str: ...


class RoutedChunkStream(_Routed):
    """The parts of a routed answer with everything in them, for ``async for``; see ``RoutedStream``."""

    if TYPE_CHECKING:

        async def __anext__(self) -> Chunk: ...


def stream_of(route: Route, question: Question, asked: str) -> t.Any:
    """The stream of a call on the loop that will read it."""
    call = Call(route, question)
    kind = RoutedChunkStream if question.is_chat else RoutedStream
    stream = kind(route.core.provider(call), asked, question.is_chat, question.params, question.options)
    stream._call = call
    return stream


class _BlockingRouted:
    """What both blocking streams share. A member written in Python runs on the private loop."""

    def __init__(self, route: Route, question: Question, asked: str) -> None:
        self._native: BlockingChunkStream | BlockingTextStream
        self._call: Call | BlockingCall
        self._blocking: BlockingCall | None = None
        self._on_loop: _Routed | None = None
        # Not sent yet, but checked: what is wrong with the request is said here and now.
        if route.has_own(question):
            on_loop: _Routed = stream_of(route, question, asked)
            self._on_loop, self._call = on_loop, on_loop._call
        else:
            self._call = self._blocking = BlockingCall(route, question)
            kind = BlockingChunkStream if question.is_chat else BlockingTextStream
            self._native = kind(
                route.core.provider(self._call), asked, question.is_chat, question.params, question.options
            )

    @property
    def _inner(self) -> t.Any:
        return self._native if self._on_loop is None else self._on_loop

    def __iter__(self) -> t.Self:
        return self

    def __next__(self) -> t.Any:
        if self._on_loop is not None:
            try:
                return run(self._on_loop.__anext__())
            except StopAsyncIteration:
                raise StopIteration from None
        try:
            return next(self._native)
        except BaseException:
            if self._blocking is not None:
                self._blocking.tell()
            raise

    def close(self) -> None:
        """Ends the stream now, and waits until a member's own generator has cleaned up; from any thread."""
        if self._on_loop is None:
            self._native.close()
            return
        self._on_loop.close()
        if not is_here():
            run(self._on_loop.aclose())

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def provider_name(self) -> str | None:
        """The member that answers; known from the first piece on."""
        return self._call.answering if self._inner._has_begun() else None

    @property
    def usage(self) -> Usage | None:
        """Token usage, once the stream has ended."""
        return self._inner.usage  # type: ignore[no-any-return]

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, once it has."""
        return self._inner.finish_reason  # type: ignore[no-any-return]

    @property
    def model(self) -> str | None:
        """The model that answered, once the stream has ended."""
        return self._inner.model  # type: ignore[no-any-return]

    @property
    def request_id(self) -> str | None:
        """The service's request id, once the stream has ended."""
        return self._inner.request_id  # type: ignore[no-any-return]

    @property
    def timings(self) -> Timings | None:
        """Where the time went, once the stream has ended."""
        return self._inner.timings  # type: ignore[no-any-return]


class BlockingRoutedStream(_BlockingRouted):
    """The same as ``RoutedStream``, for ``for`` and ``with``."""

    if TYPE_CHECKING:

        def __next__(self) -> str: ...


class BlockingRoutedChunkStream(_BlockingRouted):
    """The same as ``RoutedChunkStream``, for ``for`` and ``with``."""

    if TYPE_CHECKING:

        def __next__(self) -> Chunk: ...


def blocking_stream_of(route: Route, question: Question, asked: str) -> t.Any:
    """The stream of a call on a thread."""
    kind = BlockingRoutedChunkStream if question.is_chat else BlockingRoutedStream
    return kind(route, question, asked)
