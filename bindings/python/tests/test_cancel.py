"""What ends a waiting task ends its request: the service sees it, the permit is free."""

import asyncio
import sys
import time

import pytest

SLOW = {"type": "delay_headers", "ms": 20_000}


CANCELLED = 100


async def _sent(emulator, number):
    await asyncio.to_thread(emulator.wait, "in_flight", number)


def test_a_cancelled_task_aborts_its_request(emulator, report_latency):
    emulator.fault(SLOW, endpoint="chat", times=0)
    latencies = []

    async def main():
        provider = emulator.provider()
        for number in range(CANCELLED):
            task = asyncio.ensure_future(provider.generate("x"))
            await _sent(emulator, 1)
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(emulator.wait, "cancelled_requests", number + 1, None, 2)
            await asyncio.to_thread(emulator.wait, "in_flight", 0, 0, 2)
            latencies.append(time.monotonic() - begun)
        emulator.ask("DELETE", "faults")
        return await asyncio.wait_for(provider.generate("the permit is free"), 2)

    assert "free" in asyncio.run(main())
    report_latency("a cancelled task, until the service saw it", latencies, aim=0.1)


async def _dropped(stream):
    pass  # the caller's was the last reference but this one


async def _closed_by_another_task(stream):
    reading = asyncio.ensure_future(stream.__anext__())
    await asyncio.sleep(0)
    stream.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(reading, 2)


async def _reader_cancelled(stream):
    reading = asyncio.ensure_future(stream.__anext__())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("end", [_dropped, _closed_by_another_task, _reader_cancelled])
def test_a_half_read_stream_that_is_ended_frees_its_permit(emulator, report_latency, end):
    emulator.fault({"type": "stall_after", "chunks": 1}, endpoint="stream", times=0)
    latencies = []

    async def main():
        provider = emulator.provider()
        for number in range(CANCELLED):
            streams = [provider.generate_stream("hello")]
            assert await asyncio.wait_for(streams[0].__anext__(), 5)
            begun = time.monotonic()
            await end(streams.pop())
            await asyncio.to_thread(emulator.wait, "cancelled_streams", number + 1, None, 2)
            await asyncio.to_thread(emulator.wait, "in_flight", 0, 0, 2)
            latencies.append(time.monotonic() - begun)
        return await asyncio.wait_for(provider.generate("the permit is free"), 2)

    assert "free" in asyncio.run(main())
    how = end.__name__.strip("_").replace("_", " ")
    report_latency(f"a half-read stream, {how}, until the service saw it", latencies, aim=0.1)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is new in 3.11")
def test_a_time_limit_around_a_call_aborts_its_request_and_frees_its_permit(emulator):
    emulator.fault(SLOW, endpoint="chat")

    async def pass_when_it_is_sent(limit):
        await _sent(emulator, 1)
        limit.reschedule(asyncio.get_running_loop().time())

    async def main():
        provider = emulator.provider()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60) as limit:
                passing = asyncio.ensure_future(pass_when_it_is_sent(limit))
                await provider.generate("x")
        await passing
        return await asyncio.wait_for(provider.generate("the permit is free"), 2)

    assert "free" in asyncio.run(main())
    emulator.wait("cancelled_requests", at_least=1, seconds=2)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup is new in 3.11")
def test_a_failing_task_group_aborts_its_other_requests_and_frees_their_permits(emulator):
    emulator.fault(SLOW, endpoint="chat")

    async def fail():
        await _sent(emulator, 1)
        raise RuntimeError("one fails")

    async def main():
        provider = emulator.provider()
        with pytest.raises(ExceptionGroup) as caught:  # noqa: F821
            async with asyncio.TaskGroup() as group:
                group.create_task(provider.generate("x"))
                group.create_task(fail())
        assert [str(error) for error in caught.value.exceptions] == ["one fails"]
        return await asyncio.wait_for(provider.generate("the permit is free"), 2)

    assert "free" in asyncio.run(main())
    emulator.wait("cancelled_requests", at_least=1, seconds=2)


def test_a_call_that_waits_for_its_permit_can_be_cancelled(emulator):
    emulator.fault(SLOW, endpoint="chat")

    async def main():
        provider = emulator.provider()
        first = asyncio.ensure_future(provider.generate("first"))
        await _sent(emulator, 1)
        waiting = asyncio.ensure_future(provider.generate("second"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await asyncio.wait_for(provider.generate("third"), 2)

    assert "third" in asyncio.run(main())


def test_a_loop_that_ends_aborts_what_it_had_begun(emulator):
    emulator.fault(SLOW, endpoint="chat")

    async def main():
        asyncio.ensure_future(emulator.provider().generate("x"))
        await _sent(emulator, 1)

    asyncio.run(main())
    emulator.wait("cancelled_requests", at_least=1, seconds=2)
