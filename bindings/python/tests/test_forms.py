"""Answers as dictionaries, as JSON and as Python shows them."""

import json
import pickle

import pytest

import orchestrator
from orchestrator import Chunk, FunctionCall, GeneratedFile, Model, Response, Source, Timings, Usage

USAGE = Usage(3, 4, 7, 1)
CALL = FunctionCall("weather", '{"city": "Paris"}', "s", "c")
TIMINGS = Timings(total=1.5)
PLAIN_USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "precached_prompt_tokens": 1}
PLAIN_CALL = {"name": "weather", "arguments": {"city": "Paris"}, "state_id": "s", "id": "c"}
FILE = GeneratedFile("f-1", "image", "image/jpeg")
PLAIN_FILE = {"id": "f-1", "kind": "image", "mime": "image/jpeg"}
SOURCE = Source("1", "https://example.com/1", "A page")
PLAIN_SOURCE = {"id": "1", "url": "https://example.com/1", "title": "A page"}

FORMS = [
    (USAGE, PLAIN_USAGE),
    (CALL, PLAIN_CALL),
    (TIMINGS, {"queue": 0.0, "token": 0.0, "first_byte": 0.0, "first_content": 0.0, "total": 1.5}),
    (Model("GigaChat", "salutedevices", "chat"), {"id": "GigaChat", "owned_by": "salutedevices", "type": "chat"}),
    (
        Response(
            "hi",
            "stop",
            None,
            USAGE,
            "GigaChat:1",
            "r",
            "s",
            TIMINGS,
            2,
            function_calls=[CALL, CALL],
            reasoning="hm",
            files=[FILE],
            sources=[SOURCE],
            thread_id="t",
            state_id="s",
            api_version=2,
        ),
        {
            "text": "hi",
            "finish_reason": "stop",
            "function_call": PLAIN_CALL,
            "function_calls": [PLAIN_CALL, PLAIN_CALL],
            "reasoning": "hm",
            "files": [PLAIN_FILE],
            "sources": [PLAIN_SOURCE],
            "thread_id": "t",
            "state_id": "s",
            "api_version": 2,
            "usage": PLAIN_USAGE,
            "model": "GigaChat:1",
            "request_id": "r",
            "session_id": "s",
            "timings": {"queue": 0.0, "token": 0.0, "first_byte": 0.0, "first_content": 0.0, "total": 1.5},
            "attempts": 2,
        },
    ),
    (
        Chunk("a", None, "stop", USAGE, ("search", "looking"), reasoning="hm", file=FILE),
        {
            "text": "a",
            "reasoning": "hm",
            "function_call": None,
            "file": PLAIN_FILE,
            "finish_reason": "stop",
            "usage": PLAIN_USAGE,
            "progress": ["search", "looking"],
        },
    ),
]


@pytest.mark.parametrize(("value", "plain"), FORMS, ids=lambda value: type(value).__name__)
def test_an_answer_is_a_dictionary(value, plain):
    assert value.to_dict() == value.model_dump() == dict(value) == plain
    assert json.loads(json.dumps(value.to_dict())) == plain
    assert json.loads(value.model_dump_json()) == plain
    assert value.model_dump(exclude_none=True) == {name: part for name, part in plain.items() if part is not None}
    assert pickle.loads(pickle.dumps(value)).to_dict() == plain


def test_a_framework_makes_json_of_an_answer():
    encoders = pytest.importorskip("fastapi.encoders")
    for value, plain in FORMS:
        assert encoders.jsonable_encoder(value) == plain
    fastapi = pytest.importorskip("fastapi")
    testing = pytest.importorskip("fastapi.testclient")
    app = fastapi.FastAPI()

    @app.get("/answer")
    def answer() -> Response:
        return FORMS[4][0]

    assert testing.TestClient(app).get("/answer").json() == FORMS[4][1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (USAGE, "Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7, precached_prompt_tokens=1)"),
        (Chunk("it's", finish_reason="stop"), """Chunk(text="it's", finish_reason='stop')"""),
        (Chunk("a"), "Chunk(text='a', finish_reason=None)"),
        (FunctionCall("f", '{"a": "é"}'), """FunctionCall(name='f', arguments_json='{"a": "é"}')"""),
        (Model("m", "o", "chat"), "Model(id='m', owned_by='o', type='chat')"),
        (Response("hi\n", "stop", model="m", request_id="r"),
         r"Response(text='hi\n', finish_reason='stop', model='m', request_id='r')"),
        (Timings(queue=0.5), "Timings(queue=0.500000, token=0.000000, first_byte=0.000000, first_content=0.000000, total=0.000000)"),
    ],
)  # fmt: skip
def test_it_is_shown_as_python_writes_it(value, shown):
    assert repr(value) == shown


def test_a_function_without_arguments_has_none():
    assert FunctionCall("f", "").arguments == {} == FunctionCall("f", "  ").arguments
    with pytest.raises(orchestrator.ProtocolError, match="arguments of f"):
        FunctionCall("f", "{broken").arguments  # noqa: B018


def test_json_of_the_service_that_python_cannot_read_is_a_protocol_error():
    for text in ("[" * 100_000, "1" * 5000, "{"):
        with pytest.raises(orchestrator.ProtocolError):
            Response("x", raw_json=text).raw  # noqa: B018


@pytest.mark.parametrize("module", ["orchestrator", "orchestrator.providers"])
def test_every_class_that_calls_return_is_public(module):
    import importlib

    module = importlib.import_module(module)
    for name in ("Response", "Chunk", "Usage", "FunctionCall", "Model", "Timings", "TextStream", "ChunkStream",
                 "BlockingTextStream", "BlockingChunkStream", "GigaChatProvider", "ProviderConfig", "GenerationParams",
                 "ProviderError", "RateLimitError"):  # fmt: skip
        assert name in module.__all__ and getattr(module, name)
