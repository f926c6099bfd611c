"""Operations that are no chat: any path of the service, embeddings, token counts."""

import asyncio
import gc
import pickle

import pytest

from orchestrator import Document, Embeddings, InvalidRequestError, NotFoundError, ProtocolError, ServerError


def both(provider, name, *arguments, **keywords):
    """The answers of the coroutine and of its blocking twin."""

    async def ask():
        return await getattr(provider, name)(*arguments, **keywords)

    return asyncio.run(ask()), getattr(provider, f"{name}_sync")(*arguments, **keywords)


def test_any_path_can_be_read(emulator):
    provider = emulator.provider()
    for answer in both(provider, "get", "/balance", request_id="my-id"):
        assert answer["balance"][0]["value"] > 0
        assert answer.json == answer.json and answer.text == answer.content.decode()
        assert answer.content_type.startswith("application/json")
        assert (answer.attempts, bool(answer.request_id)) == (1, True)
        assert answer.timings.total > 0
    (last,) = emulator.requests("/balance")[-1:]
    assert last["path"].endswith("/balance")
    with pytest.raises(NotFoundError):
        provider.get_sync("/nowhere")


def test_json_and_bytes_can_be_posted_to_any_path(emulator):
    provider = emulator.provider()
    for answer in both(provider, "post", "/tokens/count", {"model": "GigaChat", "input": ["a b", "c"]}):
        assert [row["tokens"] > 0 for row in answer.json] == [True, True]
    sent = b'{"model": "GigaChat", "input": ["a"]}'
    answer = provider.post_sync("/tokens/count", data=sent, content_type="application/json", query={"x": 1})
    assert answer[0]["tokens"] > 0


def test_a_document_travels(emulator):
    answer = emulator.provider().get_sync("/balance")
    twin = pickle.loads(pickle.dumps(answer))
    assert (twin.content, twin.request_id, twin.timings) == (answer.content, answer.request_id, answer.timings)
    made = Document(b"[1]")
    assert (made[0], made.content_type, made.attempts) == (1, "application/json", 1)
    with pytest.raises(ProtocolError):
        _ = Document(b"no JSON").json


def test_embeddings_are_rows_of_floats_in_the_order_of_the_texts(emulator):
    for made in both(emulator.provider(), "embeddings", ["one", "two", "one"]):
        assert made.shape == made.data.shape == (3, made.shape[1])
        assert made.data.format == "f" and made.data.readonly
        assert len(made) == 3 and [list(row) for row in made] == made.tolist()
        assert made[0] == made[2] == made[-1] != made[1]
        assert made.usage.prompt_tokens == sum(made.tokens) > 0 and made.model
        for absent in (3, -4):
            with pytest.raises(IndexError):
                made[absent]


def test_a_view_of_embeddings_outlives_them(emulator):
    made = emulator.provider().embeddings_sync(["one"])
    row, first = made[0], made.tolist()[0][0]
    del made
    gc.collect()
    assert row[0] == first


def test_numpy_takes_embeddings_without_a_copy(emulator):
    numpy = pytest.importorskip("numpy")
    made = emulator.provider().embeddings_sync(["one", "two"])
    array = numpy.asarray(made)
    assert array.shape == made.shape and array.dtype == numpy.float32
    assert numpy.shares_memory(array, numpy.asarray(made.data)) and not array.flags.writeable
    assert array.tolist() == made.tolist()


def test_embeddings_travel(emulator):
    made = emulator.provider().embeddings_sync(["one", "two"])
    twin = pickle.loads(pickle.dumps(made))
    assert (twin.tolist(), twin.tokens, twin.model) == (made.tolist(), made.tokens, made.model)
    with pytest.raises(ValueError):
        Embeddings(b"123", 1, [1])


def test_many_texts_are_asked_for_in_parts(emulator):
    texts = [f"text {number % 7}" for number in range(40)]
    made = emulator.provider(max_body_bytes=200_000).embeddings_sync(texts)
    assert len(made) == 40 and made[0] == made[7] == made[35]
    assert made.attempts > 1


def test_tokens_are_counted(emulator):
    for counts in both(emulator.provider(), "count_tokens", ["a", "a b c d e f g h i j k l m n o p q r s t"]):
        assert 0 < counts[0] < counts[1]


def test_generators_of_texts_are_lists_too(emulator):
    assert len(emulator.provider().embeddings_sync(text for text in ("a", "b"))) == 2


def test_what_cannot_be_asked_is_refused_before_it_is_sent(emulator):
    provider = emulator.provider()
    before = len(emulator.requests())
    for ask, words in [
        (lambda: provider.embeddings_sync("one text"), "list of texts"),
        (lambda: provider.embeddings_sync([]), "at least one text"),
        (lambda: provider.count_tokens_sync(["a", 7]), r"texts\[1\]"),
        (lambda: provider.embeddings_sync(["\ud800"]), "surrogate"),
        (lambda: provider.get_sync("https://elsewhere.example/"), "without scheme"),
        (lambda: provider.get_sync("/../x"), r"\.\."),
        (lambda: provider.get_sync(7), "path: a int"),
        (lambda: provider.get_sync("/balance", query={"x": None}), "query: a NoneType"),
        (lambda: provider.post_sync("/x", {"a": {1, 2}}), "json: not usable"),
        (lambda: provider.post_sync("/x", {}, data=b"x"), "one of the two"),
        (lambda: provider.post_sync("/x", data="x"), "must be bytes"),
        (lambda: provider.get_sync("/balance", timeout=0), "timeout"),
    ]:
        with pytest.raises(InvalidRequestError, match=words):
            ask()
    assert len(emulator.requests()) == before


def test_failures_are_those_of_every_call(emulator):
    emulator.fault({"type": "status", "code": 503}, times=1)
    with pytest.raises(ServerError):
        emulator.provider(max_retries=0).embeddings_sync(["one"])


def test_a_cancelled_task_ends_its_request(emulator):
    provider = emulator.provider()
    provider.get_sync("/balance")  # the fault is not for the token
    emulator.fault({"type": "delay_headers", "ms": 600_000}, times=1)
    asked = emulator.counters()["balance_requests"]

    async def ask():
        task = asyncio.create_task(provider.get("/balance"))
        await asyncio.to_thread(emulator.wait, "balance_requests", asked + 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await provider.get("/balance")

    assert asyncio.run(ask())["balance"]
