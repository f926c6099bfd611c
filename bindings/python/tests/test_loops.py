"""One provider from many loops and threads: connections are reused, nothing leaks."""

import asyncio
import os
import threading

import pytest


def _descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_hundred_prompts_at_once_with_one_permit_are_all_answered(emulator):
    async def main():
        provider = emulator.provider()
        return await asyncio.gather(*(provider.generate(f"prompt {n}") for n in range(100)))

    texts = asyncio.run(main())
    assert [f"prompt {n}" in text for n, text in enumerate(texts)] == [True] * 100
    counters = emulator.counters()
    assert counters["peak_in_flight"] == 1 and counters["chat_requests"] == 100


def test_fifty_loops_one_after_the_other_share_connections_and_leak_nothing(emulator):
    provider = emulator.provider()
    asyncio.run(provider.generate("warm up"))
    before = emulator.counters()["tls_handshakes"]
    descriptors = _descriptors()
    for number in range(50):
        assert f"run {number}" in asyncio.run(provider.generate(f"run {number}"))
    assert emulator.counters()["tls_handshakes"] == before
    assert _descriptors() <= descriptors + 2


def test_eight_threads_with_a_loop_each_and_eight_without(emulator):
    provider = emulator.provider(max_concurrency=1)
    provider.generate_sync("warm up")
    before = emulator.counters()["tls_handshakes"]
    answers, problems = [], []

    async def ask(number):
        return await asyncio.gather(*(provider.generate(f"thread {number} {n}") for n in range(10)))

    def looping(number):
        try:
            answers.extend(asyncio.run(ask(number)))
        except BaseException as error:
            problems.append(error)

    def blocking(number):
        try:
            answers.extend(provider.generate_sync(f"plain {number} {n}") for n in range(10))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=looping, args=(n,)) for n in range(8)]
    threads += [threading.Thread(target=blocking, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems and len(answers) == 160
    assert emulator.counters()["tls_handshakes"] - before <= 1


def test_one_provider_serves_several_loops_of_uvloop(emulator):
    uvloop = pytest.importorskip("uvloop")

    provider = emulator.provider()
    provider.generate_sync("warm up")
    before = emulator.counters()["tls_handshakes"]

    async def main():
        texts = await asyncio.gather(*(provider.generate(f"u{n}") for n in range(20)))
        pieces = [piece async for piece in provider.generate_stream("hello")]
        return len(texts), "".join(pieces)

    for _ in range(3):
        loop = uvloop.new_event_loop()
        try:
            count, text = loop.run_until_complete(main())
        finally:
            loop.close()
        assert count == 20 and "hello" in text
    assert emulator.counters()["tls_handshakes"] == before, "the loops share the connection"


def test_a_loop_that_cannot_watch_descriptors(emulator):
    class Limited(asyncio.SelectorEventLoop):
        def add_reader(self, *_):
            raise NotImplementedError

        def _add_reader(self, fd, callback, *arguments):  # its own self-pipe
            return asyncio.SelectorEventLoop._add_reader(self, fd, callback, *arguments)

    loop = Limited()
    try:
        text = loop.run_until_complete(asyncio.wait_for(emulator.provider().generate("hello"), 10))
    finally:
        loop.close()
    assert "hello" in text


def test_outside_of_asyncio_there_is_a_clear_error(emulator):
    coroutine = emulator.provider().generate("x")
    with pytest.raises(RuntimeError, match="asyncio.*_sync"):
        coroutine.send(None)


def test_trio_gets_a_clear_error(emulator):
    trio = pytest.importorskip("trio")
    with pytest.raises(RuntimeError, match="trio"):
        trio.run(emulator.provider().generate, "x")


def test_other_threads_run_while_a_blocking_call_waits(emulator):
    emulator.fault({"type": "delay_headers", "ms": 400}, endpoint="chat")
    provider = emulator.provider()
    done = threading.Event()
    ticks = 0

    def ask():
        provider.generate_sync("x")
        done.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while not done.wait(0.005):
        ticks += 1
    thread.join()
    assert ticks > 10
