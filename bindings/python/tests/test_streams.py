"""Streams as objects: when they are sent, how they end, who may close them."""

import asyncio

import pytest

from orchestrator.providers import IncompleteStreamError, ProviderError

SLOW = {"type": "delay_chunks", "ms": 300}


def test_pieces_arrive_and_the_end_is_known(emulator):
    async def main():
        stream = emulator.provider().generate_stream("count to 20")
        assert stream.usage is None and stream.finish_reason is None
        text = "".join([piece async for piece in stream])
        return stream, text

    stream, text = asyncio.run(main())
    assert text.endswith("19, 20")
    assert stream.finish_reason == "stop"
    assert stream.usage.completion_tokens > 10
    assert stream.model.startswith("GigaChat") and stream.request_id
    assert stream.timings.total > 0


def test_nothing_is_sent_before_the_first_read(emulator):
    async def main():
        stream = emulator.provider().generate_stream("hello")
        await asyncio.sleep(0.05)
        before = emulator.counters()["chat_attempts"]
        await stream.__anext__()
        return before

    assert asyncio.run(main()) == 0
    assert emulator.counters()["chat_attempts"] == 1


def test_chunks_have_text_and_the_last_one_reason_and_usage(emulator):
    async def main():
        return [chunk async for chunk in emulator.provider().chat_stream("count to 5")]

    chunks = asyncio.run(main())
    assert "".join(chunk.text for chunk in chunks).startswith("1, 2")
    assert [chunk.finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].finish_reason == "stop" and chunks[-1].usage.total_tokens > 0


def test_a_chunk_has_the_function_call(emulator):
    functions = [{"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
    request = {"messages": [{"role": "user", "content": "Paris"}], "functions": functions}
    chunks = list(emulator.provider().chat_stream_sync(request))
    (call,) = [chunk.function_call for chunk in chunks if chunk.function_call is not None]
    assert call.name == "weather" and call.arguments == {"city": "Paris"}
    assert chunks[-1].finish_reason == "function_call"


def test_a_stream_without_its_end_mark_is_incomplete_with_what_arrived(emulator):  # O11
    emulator.fault("omit_done", endpoint="stream", times=0)
    pieces = []

    async def main():
        async for piece in emulator.provider(max_retries=0).generate_stream("hello"):
            pieces.append(piece)

    with pytest.raises(IncompleteStreamError) as caught:
        asyncio.run(main())
    assert caught.value.partial_text == "".join(pieces) != ""


@pytest.mark.parametrize("fault", ["no_space_after_data", "raw_separators", "crlf", "multi_line_data"])
def test_every_spelling_of_events_is_read(emulator, fault):  # O11, O15
    provider = emulator.provider()
    plain = "".join(provider.generate_stream_sync("hello"))
    emulator.fault(fault, endpoint="stream")
    spelt = "".join(provider.generate_stream_sync("hello"))
    for mark in "\u2028\u2029\u0085":
        spelt = spelt.replace(mark, "")
    assert spelt == plain


def test_a_malformed_chunk_is_an_error_and_not_swallowed(emulator):  # O11
    emulator.fault({"type": "garbage_event", "after": 1}, endpoint="stream")
    with pytest.raises(ProviderError):
        list(emulator.provider(max_retries=0).generate_stream_sync("hello"))


def test_a_refused_token_is_renewed_on_the_same_stream(emulator):  # O10
    async def main():
        provider = emulator.provider()
        await provider.generate("warm up")
        emulator.ask("POST", "revoke")
        before = emulator.counters()["connections_opened"]
        text = "".join([piece async for piece in provider.generate_stream("hello")])
        return text, emulator.counters()["connections_opened"] - before

    text, opened = asyncio.run(main())
    assert "hello" in text
    assert opened <= 2, "a control request's, and at most the token host's"


def test_close_from_another_task_ends_a_waiting_read(emulator):
    emulator.fault({"type": "stall_after", "chunks": 1}, endpoint="stream")

    async def main():
        stream = emulator.provider().generate_stream("hello")
        await stream.__anext__()
        reading = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0.05)
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(reading, 2)
        with pytest.raises(StopAsyncIteration):
            await stream.__anext__()

    asyncio.run(main())
    emulator.wait("cancelled_streams", at_least=1, seconds=2)
    emulator.wait("in_flight", at_most=0, seconds=2)


def test_two_readers_are_refused_and_the_first_is_not_disturbed(emulator):
    emulator.fault(SLOW, endpoint="stream")

    async def main():
        stream = emulator.provider().generate_stream("hello")
        reading = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="another task"):
            await stream.__anext__()
        return await reading + "".join([piece async for piece in stream])

    assert "hello" in asyncio.run(main())


def test_a_half_read_stream_that_is_dropped_frees_its_permit(emulator):
    emulator.fault({"type": "stall_after", "chunks": 1}, endpoint="stream")

    async def main():
        provider = emulator.provider()
        stream = provider.generate_stream("hello")
        await stream.__anext__()
        del stream
        return await asyncio.wait_for(provider.generate("next"), 5)

    assert "next" in asyncio.run(main())
    emulator.wait("cancelled_streams", at_least=1, seconds=2)


def test_a_call_inside_of_a_half_read_stream_works_with_one_permit(emulator):
    async def main():
        provider = emulator.provider()
        texts = []
        async for piece in provider.generate_stream("hello"):
            texts.append(await asyncio.wait_for(provider.generate(f"inner {len(texts)}"), 5))
        return texts

    assert len(asyncio.run(main())) > 2


def test_leaving_the_block_ends_the_stream(emulator):
    emulator.fault({"type": "stall_after", "chunks": 1}, endpoint="stream", times=2)

    async def main():
        async with emulator.provider().generate_stream("hello") as stream:
            return await stream.__anext__()

    assert asyncio.run(main())
    with emulator.provider().generate_stream_sync("hello") as stream:
        assert next(iter(stream))
    emulator.wait("cancelled_streams", at_least=2, seconds=2)


def test_anext_with_a_time_limit_aborts_the_request(emulator):
    emulator.fault({"type": "stall_after", "chunks": 1}, endpoint="stream")

    async def main():
        stream = emulator.provider().generate_stream("hello")
        await stream.__anext__()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), 0.1)

    asyncio.run(main())
    emulator.wait("cancelled_streams", at_least=1, seconds=2)


def test_a_chunk_has_the_json_of_its_event_byte_for_byte(emulator):
    first = '{"choices":[{"delta":{"content":"\\u0420аз ","role":"assistant"},"index":0}],  "new_field":[1.50, {"a":null}],"model":"m"}'
    second = '{"choices":[{"delta":{"content":"два"},"index":0}],"model":"m"}'
    last = '{"choices":[{"delta":{"content":""},"finish_reason":"stop","index":0}],"model":"m","usage":{"total_tokens":7}}'
    events = [f"data: {event}\n\n" for event in (first, second, last, "[DONE]")]

    async def main():
        return [chunk async for chunk in emulator.provider().chat_stream("hello")]

    for read in (lambda: asyncio.run(main()), lambda: list(emulator.provider().chat_stream_sync("hello"))):
        emulator.ask("POST", "answers", {"raw_sse": events})
        chunks = read()
        assert [chunk.text for chunk in chunks] == ["Раз ", "два", ""]
        assert [chunk.raw_json for chunk in chunks] == [first, second, last]
        assert chunks[0].raw["new_field"] == [1.5, {"a": None}]
        assert chunks[-1].finish_reason == "stop" and chunks[-1].raw["usage"]["total_tokens"] == 7
