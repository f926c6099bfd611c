"""`deadline=`: the total time of one call, the waits included, which `timeout=` does not bound."""

import asyncio
import time

import pytest

from orchestrator import Router
from orchestrator.providers import InvalidRequestError, TimeoutError

SLOW = {"type": "delay_headers", "ms": 20_000}


def _connected(emulator, **options):
    """A provider that has its connection and its token, so that a deadline is spent on the call."""
    provider = emulator.provider(**options)
    provider.generate_sync("connects")
    return provider


def test_the_wait_for_a_permit_counts(emulator):
    emulator.fault(SLOW, endpoint="chat", times=0)

    async def main():
        provider = emulator.provider()
        holder = asyncio.ensure_future(provider.generate("holds the only permit"))
        await asyncio.to_thread(emulator.wait, "in_flight", 1)
        with pytest.raises(TimeoutError) as caught:
            await asyncio.wait_for(provider.generate("waits", deadline=0.2), 10)
        holder.cancel()
        return caught.value

    error = asyncio.run(main())
    assert (error.phase, error.attempts) == ("queue", 0)
    assert emulator.counters()["chat_attempts"] == 1


def test_all_attempts_count(emulator):
    emulator.fault({"type": "status", "code": 503}, endpoint="chat", times=0)
    provider = emulator.provider(max_retries=10)
    with pytest.raises(Exception) as caught:
        provider.generate_sync("x", deadline=1.5)
    assert caught.value.attempts in range(1, 5), "ten retries would take a minute"


@pytest.mark.parametrize("form", ["generate_sync", "chat_sync"])
def test_an_answer_that_takes_longer_is_a_timeout(emulator, form):
    provider = _connected(emulator)
    emulator.fault(SLOW, endpoint="chat")
    with pytest.raises(TimeoutError):
        asked = "x" if form == "generate_sync" else [{"role": "user", "content": "x"}]
        getattr(provider, form)(asked, deadline=0.5)
    emulator.wait("cancelled_requests", at_least=1, seconds=2)


def test_of_a_stream_it_ends_with_the_first_content(emulator):
    provider = _connected(emulator)
    emulator.fault({"type": "delay_chunks", "ms": 200}, endpoint="stream")
    begun = time.monotonic()
    text = "".join(provider.generate_stream_sync("count to 10", deadline=1))
    assert text.endswith("10") and time.monotonic() - begun > 1
    emulator.fault(SLOW, endpoint="stream")
    with pytest.raises(TimeoutError):
        next(provider.generate_stream_sync("count to 10", deadline=0.5))


@pytest.mark.parametrize("way", ["route", "route_sync", "route_stream", "route_stream_sync"])
def test_a_routed_request_may_bring_its_own(emulator, way):
    router = Router(deadline=300)
    for name in ("one", "two"):
        router.add_provider(_connected(emulator, name=name))
    emulator.fault(SLOW, times=0, endpoint="generation")
    streaming = "stream" in way

    async def awaited():
        if streaming:
            return await router.route_stream("x", deadline=1.2).__anext__()
        return await router.route("x", deadline=1.2)

    with pytest.raises(TimeoutError):
        if not way.endswith("_sync"):
            asyncio.run(awaited())
        elif streaming:
            next(router.route_stream_sync("x", deadline=1.2))
        else:
            router.route_sync("x", deadline=1.2)
    assert emulator.counters()["chat_attempts"] == 2 + 2, "both had their share"


@pytest.mark.parametrize("value", [0, -1, 3601, float("nan")])
def test_a_bad_one_is_refused_by_its_name(emulator, value):
    router = Router()
    router.add_provider(emulator.provider())
    for ask in (emulator.provider().generate_sync, router.route_sync):
        with pytest.raises(InvalidRequestError, match="deadline"):
            ask("x", deadline=value)
    assert emulator.counters()["chat_attempts"] == 0
