"""Requests as programs write them: pairs, parts, histories, tools; and what is refused in plain words."""

import asyncio
import json
import uuid

import pytest

from orchestrator import FunctionCall, Response
from orchestrator.providers import GenerationParams, InvalidRequestError


@pytest.fixture
def ask(emulator):
    provider = emulator.provider()

    def ask(request, *arguments, **options):
        provider.chat_sync(request, *arguments, **options)
        return json.loads(emulator.requests("/chat/completions")[-1]["body"])

    return ask


def test_messages_are_pairs_too(ask):
    expected = [{"role": "system", "content": "be short"}, {"role": "user", "content": "hi"}]
    assert ask([("system", "be short"), ["user", "hi"]])["messages"] == expected
    assert ask({"messages": [("system", "be short"), expected[1]]})["messages"] == expected
    assert ask([("system", "be short"), ("human", "hi")])["messages"] == expected


def test_text_parts_are_one_text(ask):
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    assert ask([{"role": "user", "content": parts}])["messages"][0]["content"] == "one two"


def test_an_image_part_names_attachments(ask):
    parts = [{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": {"url": "https://x"}}]
    with pytest.raises(InvalidRequestError, match=r"messages\[1\].content\[1\]: .*attachments"):
        ask([("user", "hi"), {"role": "user", "content": parts}])


def test_an_answer_is_appended_to_a_history(emulator, ask):
    history = [("user", "hi")]
    answer = emulator.provider().chat_sync(history)
    history += [answer, ("user", "and now?")]
    sent = ask(history)["messages"]
    assert sent[1] == {"role": "assistant", "content": answer.text} and len(sent) == 3


def test_a_function_call_in_a_history_keeps_its_state(ask):
    call = FunctionCall("weather", '{"city": "Paris"}', "state-1")
    functions = [{"name": "weather", "parameters": {"type": "object", "properties": {}}}]
    request = {
        "messages": [("user", "x"), Response("", "function_call", call), {"role": "function", "name": "weather", "content": "{}"}],
        "functions": functions,
    }  # fmt: skip
    message = ask(request)["messages"][1]
    assert message["function_call"] == {"name": "weather", "arguments": {"city": "Paris"}}
    assert message["functions_state_id"] == "state-1" and message["role"] == "assistant"


def test_tools_are_functions_here(ask):
    function = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
    sent = ask({"messages": [("user", "Paris")], "tools": [{"type": "function", "function": function}], "tool_choice": "auto"})
    assert sent["functions"] == [function] and sent["function_call"] == "auto" and "tools" not in sent
    with pytest.raises(InvalidRequestError, match="tools"):
        ask({"messages": [("user", "x")], "tools": [{"type": "code_interpreter"}]})


RUST = ["struct", "expected", "serde", "line 1 column", "Shape", "Some(", "None(", "sequence", "i64", "u64", "f64", "pyo3", "tuple of"]


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (5, "request"),
        (None, "request"),
        ([5], r"messages\[0\]"),
        ([("user", "x"), ("system",)], r"messages\[1\]"),
        ([("user", 5)], r"messages\[0\]"),
        ([{"role": 5, "content": "x"}], "role"),
        ([{"role": "user", "content": 5}], "content"),
        ([{"role": "user", "content": [5]}], r"messages\[0\].content\[0\]"),
        ([{"role": "user", "content": "x", "attachments": 5}], "attachments"),
        ({"messages": 5}, "messages"),
        ({"messages": {}}, "messages"),
        ({}, "messages"),
        ({"messages": [("user", "x")], "temperature": "hot"}, "temperature"),
        ({"messages": [("user", "x")], "max_tokens": 1.5}, "max_tokens"),
        ({"messages": [("user", "x")], "functions": 5}, "functions"),
        ({"messages": [("user", "x")], "stream": "yes"}, "stream"),
        ({"messages": [("user", "x")], "model": 5}, "model"),
        ({"messages": [("user", object())]}, r"messages\[0\]"),
        ({"messages": [("user", "x")], "x": object()}, "object"),
        (["one", "two"], r"messages\[0\]"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(emulator, request_, names):
    with pytest.raises(InvalidRequestError, match=names) as caught:
        emulator.provider().chat_sync(request_)
    text = str(caught.value)
    assert not [word for word in RUST if word in text], text
    assert emulator.counters()["chat_attempts"] == 0


def test_half_a_character_names_the_message(emulator):
    provider = emulator.provider()
    with pytest.raises(InvalidRequestError, match=r"messages\[1\].content: .*U\+D83D, at character 1"):
        provider.chat_sync([("user", "x"), ("user", "a\ud83d")])
    with pytest.raises(InvalidRequestError, match=r"prompt: .*U\+D83D"):
        provider.generate_sync("a\ud83d")
    with pytest.raises(InvalidRequestError, match=r"prompt: .*U\+D83D"):
        asyncio.run(provider.generate("a\ud83d"))
    with pytest.raises(InvalidRequestError, match="request_id"):
        provider.generate_sync("x", request_id="a\ud83d")
    with pytest.raises(InvalidRequestError, match="request"):
        provider.chat_sync({"messages": [("user", "x")], "user": "a\ud83d"})
    with pytest.raises(InvalidRequestError, match="prompt"):
        next(provider.generate_stream_sync("a\ud83d"))


def test_what_is_nested_too_deep_is_refused(emulator):
    deep = []
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(InvalidRequestError, match="nested"):
        emulator.provider().chat_sync({"messages": [("user", "x")], "x": deep})


def test_parameters_are_a_mapping_or_keywords(ask):
    assert ask("x", {"temperature": 0.5}) .items() >= {"temperature": 0.5}.items()
    sent = ask("x", {"temperature": 0.5})
    assert "top_p" not in sent and "max_tokens" not in sent, "the model decides on what is not given"
    sent = ask("x", temperature=0.5, max_tokens=7)
    assert (sent["temperature"], sent["max_tokens"], "top_p" in sent) == (0.5, 7, False)
    sent = ask("x", GenerationParams(temperature=1), top_p=0.5)
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"]) == (1, 0.5, 1000)


@pytest.mark.parametrize(
    ("params", "error", "says"),
    [
        ({"temprature": 1}, InvalidRequestError, "temprature: .*did you mean temperature"),
        ({"temperature": 9}, InvalidRequestError, "temperature: 9"),
        (5, TypeError, "params: a int .*GenerationParams"),
        ("hot", TypeError, "params: a str .*GenerationParams"),
    ],
)
def test_bad_parameters_of_a_call_are_named(emulator, params, error, says):
    for ask in (emulator.provider().generate_sync, emulator.provider().chat_sync):
        with pytest.raises(error, match=says):
            ask("x", params)


def test_ids_are_numbers_and_uuids_too(emulator):
    number = uuid.uuid4()
    emulator.provider().chat_sync("x", session_id=7, request_id=number)
    headers = dict(emulator.requests("/chat/completions")[-1]["headers"])
    assert (headers["x-session-id"], headers["x-request-id"]) == ("7", str(number))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"session_id": 1.5}, "session_id: a float .* a text, a whole number or a UUID"),
        ({"request_id": True}, "request_id: a bool"),
        ({"extra_headers": {"X-A": 5}}, "extra_headers: a int in 'X-A'"),
        ({"extra_headers": "x"}, "extra_headers: a str .*mapping"),
        ({"timeout": "5"}, "timeout: '5' .*seconds"),
        ({"timeout": True}, "timeout: True .*seconds"),
        ({"deadline": "soon"}, "deadline: 'soon' .*seconds"),
        ({"model": 5}, "model: a int .*text"),
        ({"model": "a\ud83d"}, "model: "),
    ],
)
def test_a_bad_option_of_a_call_is_named_with_what_is_accepted(emulator, options, says):
    with pytest.raises(InvalidRequestError, match=says):
        emulator.provider().generate_sync("x", **options)
