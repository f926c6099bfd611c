"""What ends a waiting task ends its request: the service sees it, the permit is free."""

import asyncio
import statistics
import sys
import time

import pytest

SLOW = {"type": "delay_headers", "ms": 20_000}


async def _sent(emulator, number):
    await asyncio.to_thread(emulator.wait, "in_flight", number)


def test_a_cancelled_task_aborts_its_request(emulator):
    emulator.fault(SLOW, endpoint="chat", times=0)
    latencies = []

    async def main():
        provider = emulator.provider()
        for number in range(10):
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
    print(f"cancel to disconnect: median {statistics.median(latencies):.3f} s, worst {max(latencies):.3f} s")


def test_a_time_limit_around_a_call_aborts_its_request(emulator):
    emulator.fault(SLOW, endpoint="chat", times=0)

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(emulator.provider().generate("x"), 0.2)

    asyncio.run(main())
    emulator.wait("cancelled_requests", at_least=1, seconds=2)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup is new in 3.11")
def test_a_failing_task_group_aborts_its_other_requests(emulator):
    emulator.fault(SLOW, endpoint="chat", times=0)

    async def fail():
        await _sent(emulator, 1)
        raise RuntimeError("one fails")

    async def main():
        provider = emulator.provider()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(provider.generate("x"))
                group.create_task(fail())
        except BaseException as error:
            return error

    error = asyncio.run(main())
    assert "one fails" in str(error.exceptions)
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
