"""Chat v2 behind the same calls: one program speaks either chat by one switch."""

import pytest

from orchestrator import GigaChatProvider

WEATHER = {
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS = [{"functions": {"specifications": [WEATHER]}}]


@pytest.mark.parametrize("version", [1, 2])
def test_one_switch_says_which_chat_answers(emulator, version):
    provider = emulator.provider(api_version=version)
    answer = provider.chat_sync([("user", "count to 3")])
    assert (answer.text, answer.api_version) == ("1, 2, 3", version)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert "".join(provider.generate_stream_sync("count to 3")) == "1, 2, 3"


def test_a_request_in_the_form_of_v2_is_for_v2(emulator):
    provider = emulator.provider()
    answer = provider.chat_sync({"messages": [{"role": "user", "content": [{"text": "draw a cat"}]}], "tools": [{"image_generate": {}}]})
    assert answer.api_version == 2 and [file.kind for file in answer.files] == ["image"]


def test_a_round_of_functions_goes_on_from_the_answer(emulator):
    provider = emulator.provider()
    question = {"role": "user", "content": [{"text": "Weather?"}]}
    answer = provider.chat_sync({"messages": [question], "tools": TOOLS})
    (call,) = answer.function_calls
    assert call.id and call.state_id and answer.function_call == call
    result = {"function_result": {"id": call.id, "name": call.name, "result": {"t": 1}}}
    history = [question, answer, {"role": "tool", "content": [result]}]
    assert '"t"' in provider.chat_sync({"messages": history, "tools": TOOLS}).text


def test_reasoning_is_no_part_of_the_text(emulator):
    provider = emulator.provider(api_version=2)
    answer = provider.chat_sync("think about cats")
    chunks = list(provider.chat_stream_sync("think about cats"))
    assert answer.reasoning == "".join(chunk.reasoning or "" for chunk in chunks) != ""
    assert answer.text == "".join(chunk.text for chunk in chunks) and answer.reasoning not in answer.text


def test_another_version_is_refused():
    with pytest.raises(ValueError, match="api_version: .*3.* must be 1 or 2"):
        GigaChatProvider(api_key="a2V5OnNlY3JldA==", api_version=3)
