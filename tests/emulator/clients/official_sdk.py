"""The official Python SDK, `gigachat`, against the emulator: each of its calls but assistants and threads.

The variables that the emulator exports are the ones that the SDK reads.
"""

import importlib.metadata
import json
import os

from gigachat import GigaChat
from gigachat.models import Chat, Function, FunctionParameters, Messages, MessagesRole
from pydantic import BaseModel

from checks import Checks

VERSION = importlib.metadata.version("gigachat")
checks = Checks(f"gigachat {VERSION}")

WEATHER = {
    "name": "get_weather",
    "description": "Weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
OPENAPI = """
openapi: 3.0.0
paths:
  /weather:
    get:
      operationId: get_weather
      description: Weather in a city
      parameters: [{name: city, in: query, required: true, schema: {type: string}}]
"""


class Place(BaseModel):
    city: str


class Trip(BaseModel):
    """Nested and optional, so that the schema has references and unions."""

    start: Place
    end: Place | None = None


def client(**settings):
    return GigaChat(**{"model": "GigaChat-2-Max", **settings})


def corporate():
    return client(credentials=os.environ["GIGACHAT_EMULATOR_CREDENTIALS_CORP"], scope="GIGACHAT_API_CORP")


def check(name):
    def register(function):
        checks.run(name, function)
        return function

    return register


def user(text, **fields):
    return {"messages": [{"role": "user", "content": text}], **fields}


# Chat v1.


@check("chat")
def _():
    with client() as giga:
        answer = giga.chat("repeat: one, two")
        assert answer.choices[0].message.content == "one, two"
        assert answer.usage.total_tokens > 0 and answer.x_headers["x-request-id"]


@check("chat with typed messages and parameters")
def _():
    with client() as giga:
        messages = [Messages(role=MessagesRole.SYSTEM, content="Be brief."), Messages(role=MessagesRole.USER, content="hi")]
        answer = giga.chat(Chat(messages=messages, temperature=0.5, top_p=0.5, max_tokens=2, repetition_penalty=1.1))
        assert answer.choices[0].finish_reason == "length"


@check("achat")
async def _():
    async with client() as giga:
        assert (await giga.achat("repeat: one")).choices[0].message.content == "one"


@check("stream")
def _():
    with client() as giga:
        chunks = list(giga.stream("count to 5"))
        assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "1, 2, 3, 4, 5"
        assert chunks[-1].usage.completion_tokens > 0


@check("astream")
async def _():
    async with client() as giga:
        texts = [chunk.choices[0].delta.content async for chunk in giga.astream("count to 5")]
        assert "".join(texts) == "1, 2, 3, 4, 5"


@check("functions, whole and streamed, and the result's round")
def _():
    with client() as giga:
        answer = giga.chat(user("Omsk", functions=[WEATHER], function_call="auto"))
        message = answer.choices[0].message
        assert message.function_call.arguments == {"city": "Omsk"}
        chunks = list(giga.stream(user("Omsk", functions=[WEATHER])))
        assert any(chunk.choices[0].delta.function_call for chunk in chunks)
        history = [Messages(role="user", content="Omsk"), message,
                   Messages(role="function", name="get_weather", content=json.dumps({"t": -9}))]
        answer = giga.chat(Chat(messages=history, functions=[Function(**WEATHER)]))
        assert "-9" in answer.choices[0].message.content


@check("text2image as a typed function, and get_image")
def _():
    with client() as giga:
        function = Function(name="text2image", parameters=FunctionParameters())
        answer = giga.chat(Chat(messages=[Messages(role="user", content="draw a cat")], functions=[function]))
        picture = answer.choices[0].message.content.split('"')[1]
        assert giga.get_image(picture).content


@check("a picture without functions, and aget_image")
async def _():
    async with client() as giga:
        answer = await giga.achat(user("draw a dog", function_call="auto"))
        picture = answer.choices[0].message.content.split('"')[1]
        assert (await giga.aget_image(picture)).content


@check("chat_parse, nested and optional")
def _():
    with client() as giga:
        _, trip = giga.chat_parse("Omsk", response_format=Trip)
        assert trip.start.city == "Omsk"


@check("achat_parse")
async def _():
    async with client() as giga:
        _, place = await giga.achat_parse("Omsk", response_format=Place)
        assert place.city == "Omsk"


# Chat v2.


def v2_user(text, **fields):
    return {"messages": [{"role": "user", "content": [{"text": text}]}], **fields}


TOOLS = [{"functions": {"specifications": [WEATHER, {**WEATHER, "name": "get_time"}]}}]


def v2_text(answer):
    assistants = (message for message in answer.messages if message.role == "assistant")
    return "".join(part.text or "" for message in assistants for part in message.content or [])


@check("v2 chat.create")
def _():
    with client() as giga:
        assert v2_text(giga.chat.create("repeat: one, two")) == "one, two"


@check("v2 achat.create")
async def _():
    async with client() as giga:
        assert v2_text(await giga.achat.create("repeat: one")) == "one"


@check("v2 chat.stream")
def _():
    with client() as giga:
        chunks = list(giga.chat.stream("count to 5"))
        assert "".join(v2_text(chunk) for chunk in chunks if chunk.messages) == "1, 2, 3, 4, 5"
        assert chunks[-1].finish_reason == "stop"


@check("v2 achat.stream")
async def _():
    async with client() as giga:
        texts = [v2_text(chunk) async for chunk in giga.achat.stream("count to 5") if chunk.messages]
        assert "".join(texts) == "1, 2, 3, 4, 5"


@check("v2 chat.parse and achat.parse")
async def _():
    with client() as giga:
        assert giga.chat.parse("Omsk", response_format=Trip)[1].start.city == "Omsk"
    async with client() as giga:
        assert (await giga.achat.parse("Omsk", response_format=Place))[1].city == "Omsk"


@check("v2 parallel calls and their results")
def _():
    with client() as giga:
        answer = giga.chat.create(v2_user("Omsk", tools=TOOLS, model_options={"parallel_tool_calls": True}))
        calls = [part.function_call for part in answer.messages[0].content]
        assert [call.name for call in calls] == ["get_weather", "get_time"]
        # The stable release has no field for the id and keeps it as an unknown one.
        ids = [call.model_dump(by_alias=True)["id"] for call in calls]
        results = [{"function_result": {"id": id, "name": call.name, "result": {"t": -9}}} for id, call in zip(ids, calls)]
        history = [{"role": "user", "content": [{"text": "Omsk"}]},
                   answer.messages[0].model_dump(exclude_none=True, by_alias=True), {"role": "tool", "content": results[::-1]}]
        assert "-9" in v2_text(giga.chat.create({"messages": history, "tools": TOOLS}))


@check("v2 calls in a stream, mode any")
def _():
    with client() as giga:
        # The stable release does not know the mode: it is the pre-release's.
        config = {"mode": "forced", "function_name": "get_time"}
        if VERSION >= "0.2.4":
            config = {"mode": "any", "functions_names_any": ["get_time"]}
        chunks = list(giga.chat.stream(v2_user("Omsk", tools=TOOLS, tool_config=config)))
        assert chunks[-1].messages[0].content[0].function_call.name == "get_time"


@check("v2 web search, sources")
def _():
    with client() as giga:
        answer = giga.chat.create(v2_user("search for cats", tools=["web_search"]))
        assert answer.messages[0].content[0].inline_data.sources["1"].url


@check("v2 image_generate, progress and get_image")
def _():
    with client() as giga:
        answer = giga.chat.create(v2_user("draw a cat", tools=["image_generate"]))
        assert giga.get_image(answer.messages[0].content[0].files[0].id_).content
        chunks = list(giga.chat.stream(v2_user("draw a cat", tools=["image_generate"])))
        assert any(chunk.tool_execution for chunk in chunks)


@check("v2 reasoning")
def _():
    with client() as giga:
        answer = giga.chat.create(v2_user("hi", model_options={"reasoning": {"effort": "high"}}))
        assert answer.messages[0].role == "reasoning" and "hi" in v2_text(answer)


@check("v2 storage")
def _():
    with client() as giga:
        answer = giga.chat.create(v2_user("repeat: one", storage={}))
        again = giga.chat.create(v2_user("show the conversation", storage={"thread_id": answer.thread_id}))
        assert "assistant: one" in v2_text(again)


# The small endpoints.


@check("get_models, get_model and their twins")
async def _():
    with client() as giga:
        assert len(giga.get_models().data) > 20 and giga.get_model("GigaChat-2").id_ == "GigaChat-2"
    async with client() as giga:
        assert (await giga.aget_models()).data and (await giga.aget_model("GigaChat-2")).id_ == "GigaChat-2"


@check("tokens_count, atokens_count")
async def _():
    with client() as giga:
        assert giga.tokens_count(["Hello, world!"])[0].tokens == 4
    async with client() as giga:
        assert (await giga.atokens_count(["Hi"], model="GigaChat"))[0].characters == 2


@check("embeddings, aembeddings")
async def _():
    with client() as giga:
        vectors = giga.embeddings(["one", "two"]).data
        assert [len(vector.embedding) for vector in vectors] == [1024, 1024] and vectors[0].usage.prompt_tokens == 1
    async with client() as giga:
        assert len((await giga.aembeddings(["one"], model="EmbeddingsGigaR")).data[0].embedding) == 2560


@check("files: upload, info, list, attach, content, delete")
def _():
    with client() as giga:
        file = giga.upload_file(("отчёт.txt", b"hello"))
        assert file.bytes_ == 5 and giga.get_file(file.id_).filename == "отчёт.txt"
        assert file.id_ in [known.id_ for known in giga.get_files().data]
        answer = giga.chat(Chat(messages=[Messages(role="user", content="read", attachments=[file.id_])]))
        assert answer.choices[0].message.content
        answer = giga.chat.create({"messages": [{"role": "user", "content": [{"text": "read"}, {"files": [{"id": file.id_}]}]}]})
        assert v2_text(answer)
        assert giga.get_image(file.id_).content and giga.delete_file(file.id_).deleted


@check("files, asynchronously")
async def _():
    async with client() as giga:
        file = await giga.aupload_file(("a.txt", b"hello"))
        assert (await giga.aget_file(file.id_)).id_ == file.id_ and (await giga.aget_files()).data
        assert (await giga.adelete_file(file.id_)).deleted


@check("get_balance, aget_balance")
async def _():
    with client() as giga:
        assert giga.get_balance().balance[0].value > 0
    async with client() as giga:
        assert (await giga.aget_balance()).balance


@check("check_ai, acheck_ai")
async def _():
    with corporate() as giga:
        assert giga.check_ai("This is the emulator. This is me.", "GigaCheckDetection").category == "mixed"
    async with corporate() as giga:
        assert (await giga.acheck_ai("I wrote this.", "GigaCheckDetection")).category == "human"


@check("openapi_function_convert, aopenapi_function_convert")
async def _():
    with client() as giga:
        assert giga.openapi_function_convert(OPENAPI).functions[0].name == "get_weather"
    async with client() as giga:
        assert (await giga.aopenapi_function_convert(OPENAPI)).functions


@check("get_token, aget_token, user and password")
async def _():
    with client() as giga:
        assert giga.get_token().access_token
    async with client() as giga:
        assert (await giga.aget_token()).access_token
    user_settings = {"user": os.environ["GIGACHAT_EMULATOR_USER"], "password": os.environ["GIGACHAT_EMULATOR_PASSWORD"]}
    base_url = os.environ["GIGACHAT_EMULATOR_HTTP1_BASE_URL"]
    with client(credentials="", base_url=base_url, **user_settings) as giga:
        assert giga.chat("repeat: one").choices[0].message.content == "one"


checks.end()
