"""The LangChain class, where langchain-core is installed."""

import asyncio

import pytest

pytest.importorskip("langchain_core")

from orchestrator import Router  # noqa: E402
from orchestrator.langchain import MultiLLMOrchestrator  # noqa: E402


def _llm(emulator):
    router = Router()
    router.add_provider(emulator.provider(max_concurrency=0))
    return MultiLLMOrchestrator(router=router)


def test_every_way_to_call_it_works_in_any_order(emulator):  # O4
    llm = _llm(emulator)
    for number in range(3):
        assert f"invoke {number}" in llm.invoke(f"invoke {number}")
        assert f"ainvoke {number}" in asyncio.run(llm.ainvoke(f"ainvoke {number}"))

    async def mixed():
        inside = llm.invoke("a blocking call inside of a loop")
        return inside, await llm.ainvoke("and an awaited one")

    assert all("call" in text or "awaited" in text for text in asyncio.run(mixed()))
    assert len(llm.batch(["one", "two", "three"])) == 3


def test_streams_yield_chunks_that_chains_can_use(emulator):  # O5
    llm = _llm(emulator)
    assert "".join(llm.stream("count to 5")) == "1, 2, 3, 4, 5"

    async def main():
        return [piece async for piece in llm.astream("count to 5")]

    assert "".join(asyncio.run(main())) == "1, 2, 3, 4, 5"


def test_blocking_streams_and_batches_work_inside_of_a_loop(emulator):
    llm = _llm(emulator)

    async def main():
        pieces = list(llm.stream("count to 5"))
        return "".join(pieces), llm.batch(["repeat: one", "repeat: two"])

    assert asyncio.run(main()) == ("1, 2, 3, 4, 5", ["one", "two"])


def test_awaited_streams_work_in_several_loops_one_after_the_other(emulator):
    llm = _llm(emulator)

    async def main():
        return [piece async for piece in llm.astream("count to 5")]

    texts = ["".join(asyncio.run(main())) for _ in range(3)]
    assert texts == ["1, 2, 3, 4, 5"] * 3


def test_a_program_that_calls_the_streams_itself_gets_texts(emulator):
    llm = _llm(emulator)
    assert "".join(llm._stream("count to 5")) == "1, 2, 3, 4, 5"

    async def main():
        return [piece async for piece in llm._astream("count to 5")]

    assert "".join(asyncio.run(main())) == "1, 2, 3, 4, 5"


def test_callbacks_are_told_each_chunk(emulator):
    from langchain_core.callbacks import BaseCallbackHandler

    told = []

    class Listener(BaseCallbackHandler):
        def on_llm_new_token(self, token, *, chunk=None, **rest):
            told.append((token, chunk.text))

    pieces = list(_llm(emulator).stream("count to 5", config={"callbacks": [Listener()]}))
    assert told == [(piece, piece) for piece in pieces if piece]


def test_parameters_are_mapped(emulator):  # O5
    import json

    _llm(emulator).invoke("x", top_p=0.5, temperature=0.3, stop=["\n"])
    sent = json.loads(emulator.requests("/chat/completions")[-1]["body"])
    assert (sent["top_p"], sent["temperature"]) == (0.5, 0.3)


def test_a_router_without_providers_is_refused():
    with pytest.raises(ValueError):
        MultiLLMOrchestrator(router=Router())


def test_it_copies_and_pickles_with_its_router(emulator):
    import pickle

    router = Router()
    router.add_provider(emulator.provider())
    model = MultiLLMOrchestrator(router=router)
    for twin in (model.model_copy(deep=True), pickle.loads(pickle.dumps(model))):
        assert twin.router is not router and "hello" in twin.invoke("hello")
