"""One client in a process of its own: runs what it is told and says what processor time it took.

Reads lines `scenario count` and answers each with microseconds of user and system time, of all
its threads, per request or chunk; or with `-` when the client has no such thing. Judges nothing.
"""

import asyncio
import json
import random
import resource
import sys

from clients import BY_NAME, Aiohttp

TOGETHER = 64
ANSWER = "write 230 tokens"
IN_A_ROW = 5
TOKENS_PER_CHUNK = 3
"""Of the emulator's streams."""


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def together(ask, count):
    """`count` requests, 64 at a time; each of the 64 sends its next one when it has its answer."""
    left = iter(range(count))

    async def one_after_another():
        for _ in left:
            assert await ask()

    await asyncio.gather(*[one_after_another() for _ in range(TOGETHER)])
    return count


async def saturated(client, count):
    return await together(lambda: client.generate(ANSWER), count)


async def spread(client, count):
    delays = random.Random(count)

    def ask():
        fault = {"type": "delay_headers", "ms": delays.randint(25, 75)}
        return client.generate_with(ANSWER, {"X-Emulator-Fault": json.dumps(fault)})

    return await together(ask, count)


async def single(client, count):
    for _ in range(count):
        assert await client.generate(ANSWER)
    return count


async def sync(client, count):
    generate = client.generate_sync
    for _ in range(count):
        assert generate(ANSWER)
    return count


def long_answer(chunks):
    """A prompt that is answered in so many chunks."""
    return f"write {chunks * TOKENS_PER_CHUNK} tokens"


async def read(stream):
    pieces = 0
    async for _ in stream:
        pieces += 1
    return pieces


async def paced(client, count):
    """64 streams at once; how fast they speak is the emulator's business."""
    streams = [read(client.stream(long_answer(count))) for _ in range(TOGETHER)]
    return sum(await asyncio.gather(*streams))


async def full_speed(client, count):
    """One stream after the other: a single one is over before the processor's caches are warm."""
    return sum([await read(client.stream(long_answer(count))) for _ in range(IN_A_ROW)])


async def full_speed_chunks(client, count):
    return sum([await read(client.chunks(long_answer(count))) for _ in range(IN_A_ROW)])


async def arrived(client, count):
    """Only the reading is measured: the client has had the time to receive everything."""
    return await delivery(client.stream(long_answer(count)))


async def arrived_chunks(client, count):
    return await delivery(client.chunks(long_answer(count)))


async def delivery(stream):
    await stream.__anext__()
    before = processor_seconds()
    while True:  # until the library has nothing to do any more
        await asyncio.sleep(0.1)
        now = processor_seconds()
        if now - before < 0.001:
            break
        before = now
    begin = processor_seconds()
    pieces = await read(stream)
    return Measured((processor_seconds() - begin) / pieces * 1e6)


class Measured(float):
    """A figure that the scenario took itself."""


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        saturated,
        spread,
        single,
        sync,
        paced,
        full_speed,
        full_speed_chunks,
        arrived,
        arrived_chunks,
    )
}


async def measure(client, scenario, count):
    begin = processor_seconds()
    done = await SCENARIOS[scenario](client, count)
    if isinstance(done, Measured):
        return done
    return (processor_seconds() - begin) / done * 1e6


def main():
    with asyncio.Runner() if hasattr(asyncio, "Runner") else _Runner() as runner:

        async def make():
            return BY_NAME[sys.argv[1]]()

        client = runner.run(make())
        for line in sys.stdin:
            scenario, count = line.split()
            try:
                figure = runner.run(measure(client, scenario, int(count)))
            except AttributeError as missing:
                if missing.obj is not client:
                    raise
                figure = "-"
            print(figure, flush=True)
        if isinstance(client, Aiohttp):  # it complains otherwise
            runner.run(client.close())


class _Runner:
    """`asyncio.Runner` for Python 3.10, as far as it is needed here."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        return self

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def __exit__(self, *_):
        self.loop.close()


if __name__ == "__main__":
    main()
