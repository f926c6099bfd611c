"""How streams are ended: from any thread, by `aclosing`, by dropping them; what a router then no longer does."""

import asyncio
import contextlib
import queue
import threading

import pytest

from orchestrator import Router
from orchestrator.providers import BaseProvider, ProviderConfig, RateLimitError

BOUND = 5
STALLED = {"type": "stall_after", "chunks": 1}
SILENT = {"type": "stall_after", "chunks": 0}
DIRECT = ("generate_stream", "chat_stream")


class Own(BaseProvider):
    """A program's own member, which is asked, says one piece if it is told to, and waits."""

    def __init__(self, name="own", pieces=0, error=None):
        super().__init__(ProviderConfig(name=name))
        self.pieces, self.error = pieces, error
        self.calls = 0
        self.waits, self.ended = threading.Event(), threading.Event()

    async def generate(self, prompt, params=None):
        raise NotImplementedError

    async def health_check(self):
        return True

    async def generate_stream(self, prompt, params=None):
        self.calls += 1
        try:
            if self.error is not None:
                self.waits.set()
                raise self.error
            for number in range(self.pieces):
                yield f"piece {number}"
            self.waits.set()
            await asyncio.sleep(60)
        finally:
            self.ended.set()


def routed(*members, **options):
    router = Router("first-available", **options)
    for member in members:
        router.add_provider(member)
    return router


def of(emulator, way):
    """A stream of this kind of a native provider."""
    owner = routed(emulator.provider()) if way.startswith("route") else emulator.provider()
    return getattr(owner, way)("hello")


class Reading:
    """A thread that reads a stream to its end; what it read and what went wrong."""

    def __init__(self, stream):
        self.pieces, self.problem = queue.Queue(), None
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            if hasattr(self._stream, "__anext__"):
                asyncio.run(self._read_in_a_loop())
            else:
                for piece in self._stream:
                    self.pieces.put(piece)
        except BaseException as problem:
            self.problem = problem

    async def _read_in_a_loop(self):
        async for piece in self._stream:
            self.pieces.put(piece)

    def has_ended(self):
        self._thread.join(BOUND)
        assert not self._thread.is_alive(), "it still reads"
        assert self.problem is None, repr(self.problem)
        return True


WAYS = [f"{way}{twin}" for way in (*DIRECT, "route_stream") for twin in ("", "_sync")]


@pytest.mark.parametrize("fault", [SILENT, STALLED], ids=["before the first piece", "after it"])
@pytest.mark.parametrize("way", WAYS)
def test_close_from_another_thread_ends_a_waiting_read(emulator, way, fault):
    emulator.fault(fault, endpoint="stream")
    stream = of(emulator, way)
    reading = Reading(stream)
    emulator.wait("open_streams", at_least=1, seconds=BOUND)
    if fault is STALLED:
        assert reading.pieces.get(timeout=BOUND)
    stream.close()
    stream.close()
    assert reading.has_ended() and reading.pieces.empty()
    emulator.wait("cancelled_streams", at_least=1, seconds=2)
    emulator.wait("in_flight", at_most=0, seconds=2)


@pytest.mark.parametrize("way", [way for way in WAYS if not way.endswith("_sync")])
def test_aclosing_ends_the_stream(emulator, way):
    emulator.fault(STALLED, endpoint="stream")

    async def main():
        async with contextlib.aclosing(of(emulator, way)) as stream:
            await stream.__anext__()
        with pytest.raises(StopAsyncIteration):
            await stream.__anext__()

    asyncio.run(main())
    emulator.wait("cancelled_streams", at_least=1, seconds=2)


@pytest.mark.parametrize("way", WAYS)
def test_dropping_a_half_read_stream_aborts_its_request(emulator, way):
    emulator.fault(STALLED, endpoint="stream")

    async def main():
        stream = of(emulator, way)
        assert await stream.__anext__()
        del stream
        await asyncio.to_thread(emulator.wait, "cancelled_streams", 1, None, 2)

    if way.endswith("_sync"):
        stream = of(emulator, way)
        assert next(stream)
        del stream
        emulator.wait("cancelled_streams", at_least=1, seconds=2)
    else:
        asyncio.run(main())


# A router's streams, with members of the program's own.


@pytest.mark.parametrize("pieces", [0, 1])
def test_a_members_running_step_is_cancelled_by_close_from_another_thread(pieces):
    member, spare = Own(pieces=pieces), Own("spare", pieces=1)
    stream = routed(member, spare).route_stream_sync("x")
    reading = Reading(stream)
    assert member.waits.wait(BOUND)
    stream.close()
    assert member.ended.is_set(), "close waits until the member has cleaned up"
    assert reading.has_ended() and reading.pieces.qsize() == pieces
    assert spare.calls == 0


def test_a_members_running_step_does_not_disturb_aclose_of_another_task():
    class Slow(Own):
        async def generate_stream(self, prompt, params=None):
            try:
                yield "first"
                await self.go_on.wait()
                yield "second"
            finally:
                self.ended.set()

    async def main():
        member = Slow()
        member.go_on = asyncio.Event()
        stream = routed(member).route_stream("x")
        assert await stream.__anext__() == "first"
        reading = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await stream.__anext__()
        await stream.aclose()
        member.go_on.set()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(reading, BOUND)
        assert member.ended.is_set(), "its reader has ended it"

    asyncio.run(main())


def _limited():
    error = RateLimitError("later")
    error.retry_after = 0.5
    return error


@pytest.mark.parametrize("way", ["route_stream", "route_stream_sync"])
def test_after_close_in_a_cooldown_no_member_is_asked(way):
    member = Own(error=_limited())
    stream = getattr(routed(member), way)("x")
    reading = Reading(stream)
    assert member.waits.wait(BOUND)
    stream.close()
    assert reading.has_ended() and member.calls == 1


@pytest.mark.parametrize("way", ["route_stream", "route_stream_sync"])
def test_after_close_between_two_members_the_second_is_not_asked(way):
    streams = []

    async def close_it(usage):
        streams[0].close()

    failing, spare = Own(error=RuntimeError("fails")), Own("spare", pieces=1)
    streams.append(getattr(routed(failing, spare, usage_callback=close_it), way)("x"))
    assert Reading(streams[0]).has_ended()
    assert (failing.calls, spare.calls) == (1, 0)


@pytest.mark.parametrize("way", ["route_stream", "route_stream_sync"])
def test_a_members_first_piece_is_bounded_by_the_deadline(way):
    slow, quick = Own(), Own("quick", pieces=1)
    stream = getattr(routed(slow, quick), way)("x", deadline=1)

    async def first():
        async with stream:
            return await asyncio.wait_for(stream.__anext__(), BOUND)

    if way == "route_stream":
        assert asyncio.run(first()) == "piece 0"
    else:
        with stream:
            assert next(stream) == "piece 0"
    assert slow.ended.is_set() and stream.provider_name == "quick"


def test_a_cancelled_reader_is_not_reported_as_an_answer(emulator):
    emulator.fault(STALLED, endpoint="stream")
    router = routed(emulator.provider())

    async def main():
        stream = router.route_stream("x")
        await stream.__anext__()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), 0.05)
        with pytest.raises(StopAsyncIteration):
            await stream.__anext__()

    asyncio.run(main())
    assert router.metrics["gigachat"].total_requests == 0
    emulator.wait("cancelled_streams", at_least=1, seconds=2)
