"""langchain-gigachat against the emulator, over chat v1 and over chat v2."""

import importlib.metadata

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_gigachat import GigaChat, GigaChatEmbeddings
from pydantic import BaseModel

from checks import Checks

VERSION = importlib.metadata.version("langchain-gigachat")
checks = Checks(f"langchain-gigachat {VERSION}")


class Place(BaseModel):
    """A place."""

    city: str


@tool
def get_weather(city: str) -> str:
    """Weather in a city."""
    return f"-9 in {city}"


def check(name):
    def register(function):
        checks.run(name, function)
        return function

    return register


def chat_checks(label, **settings):
    def model(**more):
        return GigaChat(model="GigaChat-2-Max", **settings, **more)

    @check(f"{label}: invoke, ainvoke, batch")
    async def _():
        assert model().invoke("repeat: one").content == "one"
        answer = await model().ainvoke("repeat: two")
        assert answer.content == "two" and answer.usage_metadata["total_tokens"] > 0
        assert [answer.content for answer in model().batch(["repeat: a", "repeat: b"])] == ["a", "b"]

    @check(f"{label}: stream, astream")
    async def _():
        assert "".join(chunk.text for chunk in model().stream("count to 5")) == "1, 2, 3, 4, 5"
        assert "".join([chunk.text async for chunk in model().astream("count to 5")]) == "1, 2, 3, 4, 5"

    @check(f"{label}: a tool and its result")
    def _():
        bound = model().bind_tools([get_weather])
        answer = bound.invoke("Omsk")
        call = answer.tool_calls[0]
        assert call["args"] == {"city": "Omsk"}
        result = ToolMessage('{"t": -9}', tool_call_id=call["id"], name=call["name"])
        assert "-9" in bound.invoke([HumanMessage("Omsk"), answer, result]).text

    @check(f"{label}: a tool in a stream")
    def _():
        chunks = list(model().bind_tools([get_weather]).stream("Omsk"))
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        assert whole.tool_calls[0]["name"] == "get_weather"

    for method in ["function_calling", "json_schema"]:

        @check(f"{label}: structured output by {method}")
        def _():
            place = model().with_structured_output(Place, method=method).invoke("Omsk")
            assert place.city == "Omsk"

    @check(f"{label}: tokens, models")
    def _():
        assert model().get_num_tokens("hello") > 0 and model().get_models().data
        assert model().get_model("GigaChat-2").id_ == "GigaChat-2"

    @check(f"{label}: files")
    async def _():
        file = model().upload_file(("a.txt", b"hello"))
        assert model().get_file(file.id_).id_ == file.id_ and model().list_files().data
        assert model().get_file_content(file.id_).content and model().delete_file(file.id_).deleted
        file = await model().aupload_file(("a.txt", b"hello"))
        assert (await model().adelete_file(file.id_)).deleted


chat_checks("v1")


@check("embeddings: documents, query and their twins")
async def _():
    embeddings = GigaChatEmbeddings(model="Embeddings")
    assert [len(vector) for vector in embeddings.embed_documents(["one", "two"])] == [1024, 1024]
    assert len(embeddings.embed_query("one")) == 1024
    assert (await embeddings.aembed_documents(["one"]))[0] == await embeddings.aembed_query("one")


if "use_api_v2" in GigaChat.model_fields:
    chat_checks("v2", use_api_v2=True)

    @check("v2: parallel calls, web search, reasoning")
    def _():
        model = GigaChat(model="GigaChat-2-Max", use_api_v2=True, parallel_tool_calls=True)

        @tool
        def get_time(city: str) -> str:
            """Time in a city."""
            return "12:00"

        assert len(model.bind_tools([get_weather, get_time]).invoke("Omsk").tool_calls) == 2
        assert model.bind_tools([{"web_search": {}}]).invoke("search for cats").text
        thoughtful = GigaChat(model="GigaChat-2-Max", use_api_v2=True, reasoning_effort="high")
        assert "hi" in thoughtful.invoke("hi").text


checks.end()
