"""How a task waits for its stream: to asyncio, to uvloop and to whoever looks, like for a future."""

import asyncio
import base64
import contextvars
import gc
import itertools
import sys
import time
import weakref

import pytest

from orchestrator.providers import IncompleteStreamError

SLOW = {"type": "delay_chunks", "ms": 40}


@pytest.fixture
def slow(emulator):
    """Streams that speak slowly, each of a client of its own, since the service allows one at once."""
    emulator.fault(SLOW, endpoint="stream", times=0)
    _, secret = base64.b64decode(emulator.key).decode().split(":")
    numbers = itertools.count()

    class Slow:
        def _provider(self):
            key = base64.b64encode(f"reader {next(numbers)}:{secret}".encode()).decode()
            return emulator.provider(api_key=key)

        def generate_stream(self, prompt):
            return self._provider().generate_stream(prompt)

        def chat_stream(self, prompt):
            return self._provider().chat_stream(prompt)

    return Slow()


async def _next(stream):
    return await stream.__anext__()


async def read(stream):
    return "".join([piece async for piece in stream])


def test_a_waiting_task_looks_like_one_that_waits_for_a_future(slow):
    async def main():
        stream = slow.generate_stream("count to 20")
        await stream.__anext__()
        task = asyncio.create_task(read(stream))
        await asyncio.sleep(0.01)
        waits_for = task._fut_waiter
        assert asyncio.isfuture(waits_for) and not waits_for.done() and not waits_for.cancelled()
        assert waits_for.get_loop() is asyncio.get_running_loop()
        with pytest.raises(asyncio.InvalidStateError):
            waits_for.result()
        assert "wait_for" in repr(task)
        return await task

    assert asyncio.run(main()).endswith("20")


def test_the_message_of_a_cancel_arrives(slow):
    async def main():
        stream = slow.generate_stream("count to 20")
        await stream.__anext__()
        task = asyncio.create_task(read(stream))
        await asyncio.sleep(0.01)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value.args

    # Python 3.10 hands the message over on the way in only, newer ones on the way out, too.
    assert asyncio.run(main()) in [("enough",), ()]


def test_a_task_goes_on_in_its_own_context(slow):
    name = contextvars.ContextVar("name")

    async def one(value):
        name.set(value)
        pieces = []
        async for _ in slow.generate_stream("count to 20"):
            pieces.append(name.get())
            assert asyncio.current_task().get_name() == value
        return set(pieces)

    async def main():
        values = [f"task {number}" for number in range(8)]
        seen = await asyncio.gather(*(asyncio.create_task(one(value), name=value) for value in values))
        assert seen == [{value} for value in values]

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_read_streams(slow):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        texts = await asyncio.gather(*(read(slow.generate_stream("count to 9")) for _ in range(4)))
        return set(texts)

    (text,) = asyncio.run(main())
    assert text.endswith("9")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_the_midst_of_a_delivery_ends_the_run_and_loses_no_other_reader(slow, interrupt):
    """The second reader's chunks are there when the first one's step ends the loop's run."""
    loop = asyncio.new_event_loop()
    streams = [slow.generate_stream("count to 20") for _ in range(2)]

    async def interrupted():
        async for _ in streams[0]:
            await asyncio.sleep(0)
            raise interrupt

    other = loop.create_task(read(streams[1]))
    one = loop.create_task(interrupted())
    with pytest.raises(interrupt):
        loop.run_until_complete(asyncio.wait([one, other]))
    with pytest.raises(interrupt):
        one.result()
    assert loop.run_until_complete(asyncio.wait_for(other, 10)).endswith("20")
    streams[0].close()
    loop.close()


def test_a_loop_run_within_a_step_finds_what_its_readers_wait_for(slow):
    """As nest_asyncio does in notebooks: `_run_once` again, from inside of a delivery."""

    async def main():
        loop = asyncio.get_running_loop()
        other = asyncio.ensure_future(read(slow.generate_stream("count to 9")))
        async for _ in slow.generate_stream("count to 20"):
            outer = asyncio.current_task()
            asyncio.tasks._leave_task(loop, outer)
            try:
                while not other.done():
                    loop._run_once()
            finally:
                asyncio.tasks._enter_task(loop, outer)
        return other.result()

    assert asyncio.run(asyncio.wait_for(main(), 10)).endswith("9")


def test_a_loop_run_within_a_step_serves_readers_that_were_told_together(slow):
    async def main():
        loop = asyncio.get_running_loop()
        streams = [slow.generate_stream("count to 20") for _ in range(3)]
        await asyncio.gather(*(asyncio.ensure_future(_next(stream)) for stream in streams))
        seen, late = [], []
        loop.call_later(5, late.append, "a reader was not served")

        async def one(stream):
            await _next(stream)
            seen.append(stream)
            if len(seen) > 1:
                return
            task = asyncio.current_task()
            asyncio.tasks._leave_task(loop, task)
            try:
                while len(seen) < 3 and not late:
                    loop._run_once()
            finally:
                asyncio.tasks._enter_task(loop, task)

        tasks = [asyncio.ensure_future(one(stream)) for stream in streams]
        await asyncio.sleep(0)
        assert all(task._fut_waiter is not None for task in tasks), "all of them wait"
        time.sleep(0.3)  # on the loop's own thread: all of them have something when it goes on
        await asyncio.gather(*tasks)
        return late

    assert asyncio.run(main()) == []


def test_a_stream_that_is_over_holds_on_to_no_loop(emulator):
    def ends(how):
        async def main():
            stream = emulator.provider(timeout=5).generate_stream("count to 20")
            await stream.__anext__()
            if how == "cancelled":
                task = asyncio.create_task(read(stream))
                await asyncio.sleep(0.005)
                task.cancel()
                await asyncio.wait([task])
            elif how == "closed":
                stream.close()
            else:
                with pytest.raises(IncompleteStreamError):
                    await read(stream)
            return stream, weakref.ref(asyncio.get_running_loop())

        if how == "broken":
            emulator.fault("omit_done", endpoint="stream")
        emulator.fault({"type": "delay_chunks", "ms": 20}, endpoint="stream")
        return asyncio.run(main())

    for how in ("cancelled", "closed", "broken"):
        stream, loop = ends(how)
        gc.collect()
        assert loop() is None, how
        stream.close()


def test_a_cancelled_reader_and_the_next_one_do_not_disturb_each_other(slow):
    async def main():
        stream = slow.chat_stream("count to 20")
        await stream.__anext__()
        first = asyncio.create_task(read_chunks(stream))
        await asyncio.sleep(0.01)
        first.cancel()
        second = asyncio.create_task(read_chunks(stream))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        return outcomes[1]

    async def read_chunks(stream):
        return [chunk.text async for chunk in stream]

    # The cancel has ended the stream: its next reader finds the end, neither an error nor a hang.
    assert asyncio.run(asyncio.wait_for(main(), 10)) == []
