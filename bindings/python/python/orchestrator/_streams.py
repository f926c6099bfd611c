"""Streams as objects. Not asynchronous generators, whose ``aclose`` fails while they are read."""

from __future__ import annotations

from ._gigachat import AsyncReader, BlockingReader

from ._typing import t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ._gigachat import Chunk


class _AsyncStream(AsyncReader):
    """What both asynchronous streams can do beside being read."""

    async def aclose(self) -> None:
        """Ends the stream now; the same as ``close()``, for ``contextlib.aclosing``."""
        self.close()

    async def __aenter__(self) -> t.Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()


class TextStream(_AsyncStream):
    """The pieces of an answer's text, for ``async for``.

    The request is sent at the first read. ``close()`` ends it from any thread, dropping it ends
    it too. After the end ``usage``, ``finish_reason``, ``model``, ``request_id`` and ``timings``
    are known.
    """

    if TYPE_CHECKING:

        def __anext__(self) -> Awaitable[str]: ...


class ChunkStream(_AsyncStream):
    """The parts of an answer with everything in them, for ``async for``; see ``TextStream``."""

    if TYPE_CHECKING:

        def __anext__(self) -> Awaitable[Chunk]: ...


class BlockingTextStream(BlockingReader):
    """The pieces of an answer's text, for ``for`` and ``with``; see ``TextStream``."""

    if TYPE_CHECKING:

        def __next__(self) -> str: ...


class BlockingChunkStream(BlockingReader):
    """The parts of an answer with everything in them, for ``for`` and ``with``."""

    if TYPE_CHECKING:

        def __next__(self) -> Chunk: ...
