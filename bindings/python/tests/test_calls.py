"""Calls of every form: prompt, request, models, token; awaited and blocking; errors."""

import asyncio
import base64
import json

import pytest

from orchestrator.providers import (
    AuthenticationError,
    GenerationParams,
    InvalidRequestError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    ServerError,
    ServiceConnectionError,
    TimeoutError,
)


def test_chat_gives_everything_that_the_service_said(emulator):
    messages = [{"role": "system", "content": "short"}, {"role": "user", "content": "hello"}]
    provider = emulator.provider()
    response = asyncio.run(provider.chat(messages, session_id="s-1", request_id="r-1"))
    assert "hello" in response.text and str(response) == response.text
    assert response.finish_reason == "stop"
    assert response.usage.total_tokens == response.usage.prompt_tokens + response.usage.completion_tokens
    assert 0 < response.usage.precached_prompt_tokens < response.usage.prompt_tokens, "a session's earlier messages"
    assert response.model.startswith("GigaChat")
    assert response.raw["choices"][0]["message"]["content"] == response.text
    assert json.loads(response.raw_json) == response.raw
    assert response.timings.total >= response.timings.first_byte > 0
    headers = dict(emulator.requests("/chat/completions")[-1]["headers"])
    assert (headers["x-session-id"], headers["x-request-id"]) == ("s-1", "r-1")


def test_a_dict_is_the_wire_format_and_passes_through(emulator):
    request = {
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0.25,
        "x_future_field": {"a": [1, None, "é"]},
    }
    provider = emulator.provider(model="GigaChat-2")
    assert "hello" in provider.chat_sync(request).text
    sent = json.loads(emulator.requests("/chat/completions")[-1]["body"])
    assert sent == {**request, "model": "GigaChat-2"}


def test_a_function_call_is_parsed(emulator):
    functions = [{"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
    request = {"messages": [{"role": "user", "content": "Paris"}], "functions": functions}
    response = emulator.provider().chat_sync(request)
    assert response.finish_reason == "function_call"
    assert response.function_call.name == "weather"
    assert isinstance(response.function_call.arguments, dict)


def test_a_call_may_set_its_own_model_headers_and_timeout(emulator):
    provider = emulator.provider()
    text = asyncio.run(
        provider.generate("hi", model="GigaChat-2-Pro", extra_headers={"X-Trace": "t"}, timeout=5)
    )
    assert "hi" in text
    sent = emulator.requests("/chat/completions")[-1]
    assert json.loads(sent["body"])["model"] == "GigaChat-2-Pro"
    assert dict(sent["headers"])["x-trace"] == "t"


def test_every_coroutine_has_a_blocking_twin(emulator):
    provider = emulator.provider()
    assert "one" in provider.generate_sync("one")
    assert "two" in provider.chat_sync("two").text
    assert "".join(provider.generate_stream_sync("three")).startswith("You wrote")
    assert provider.health_check_sync() is True
    assert "GigaChat" in {model.id for model in provider.list_models_sync()}
    assert provider.get_access_token_sync() == asyncio.run(provider.get_access_token())
    provider.close_sync()
    with pytest.raises(ProviderError, match="closed"):
        provider.generate_sync("four")


def test_a_provider_is_a_context_manager(emulator):
    async def main():
        async with emulator.provider() as provider:
            return await provider.list_models()

    assert len(asyncio.run(main())) > 3


def test_a_provider_says_what_it_is(emulator):
    info = emulator.provider(model="GigaChat-2-Max").get_model_info()
    assert info == {"name": "gigachat", "model": "GigaChat-2-Max", "provider_type": "GigaChatProvider"}


STATUSES = [
    (400, InvalidRequestError),
    (402, PaymentRequiredError),
    (403, PermissionDeniedError),
    (404, NotFoundError),
    (404, InvalidRequestError),
    (413, InvalidRequestError),
    (422, InvalidRequestError),
    (429, RateLimitError),
    (500, ServerError),
    (503, ProviderError),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("code", "expected"), STATUSES)
def test_a_status_has_its_class_streamed_or_not(emulator, code, expected, streamed):  # O2
    emulator.fault({"type": "status", "code": code}, endpoint="generation", times=0)
    provider = emulator.provider(max_retries=0)
    with pytest.raises(expected) as caught:
        if streamed:
            list(provider.generate_stream_sync("x"))
        else:
            provider.generate_sync("x")
    error = caught.value
    assert error.status_code == code and error.request_id and error.attempts == 1
    assert error.retryable == (code in (429, 500, 503))


def test_a_429_is_retried_as_often_as_the_config_says(emulator):  # O3
    for retries, attempts in ((0, 1), (2, 3)):
        emulator.ask("POST", "reset")
        headers = {"Retry-After": "0"}
        emulator.fault({"type": "status", "code": 429, "headers": headers}, endpoint="chat", times=0)
        with pytest.raises(RateLimitError) as caught:
            emulator.provider(max_retries=retries, wait_on_rate_limit=False).generate_sync("x")
        assert caught.value.attempts == attempts
        assert emulator.counters()["chat_attempts"] == attempts


def test_a_wrong_key_is_an_authentication_error(emulator):
    provider = emulator.provider(api_key="d3Jvbmc6a2V5")
    with pytest.raises(AuthenticationError) as caught:
        asyncio.run(provider.generate("x"))
    assert caught.value.status_code == 401
    assert "d3Jvbmc6a2V5" not in str(caught.value)


def test_a_time_limit_is_the_builtin_timeout_error_too(emulator):
    import builtins

    emulator.fault({"type": "delay_headers", "ms": 3000}, endpoint="chat")
    provider = emulator.provider(max_retries=0)
    with pytest.raises(TimeoutError) as caught:
        asyncio.run(provider.generate("x", timeout=0.2))
    assert isinstance(caught.value, builtins.TimeoutError)
    assert isinstance(caught.value, asyncio.TimeoutError)
    assert caught.value.phase == "answer"


def test_nobody_at_the_address_is_a_connection_error():
    from orchestrator.providers import GigaChatProvider, ProviderConfig

    config = ProviderConfig(name="x", access_token="t", base_url="http://127.0.0.1:9", max_retries=0)
    with pytest.raises(ServiceConnectionError) as caught:
        GigaChatProvider(config).generate_sync("x")
    assert isinstance(caught.value, ConnectionError)


def test_bad_input_is_refused_before_anything_is_sent(emulator):
    provider = emulator.provider()
    with pytest.raises(TypeError, match="prompt"):
        provider.generate_sync(5)
    with pytest.raises(InvalidRequestError, match="messages"):
        provider.chat_sync([])
    with pytest.raises(InvalidRequestError, match=r"messages\[0\].content: a float"):
        provider.chat_sync([{"role": "user", "content": float("nan")}])
    with pytest.raises(InvalidRequestError, match="JSON"):
        provider.chat_sync({"messages": [("user", "x")], "x": float("nan")})
    with pytest.raises(InvalidRequestError, match="timeout"):
        provider.generate_sync("x", timeout=-1)
    assert emulator.counters()["chat_attempts"] == 0


def test_stop_sequences_work_although_the_service_ignores_them(emulator):
    params = GenerationParams(stop=["3"])
    provider = emulator.provider()
    assert provider.generate_sync("count to 5", params) == "1, 2, "
    assert "".join(provider.generate_stream_sync("count to 5", params)) == "1, 2, "


def test_a_401_storm_makes_one_refresh_and_nobody_fails(emulator):  # O9
    # The service answers ten at once for this scope, so that nothing but the token is in the way.
    key = emulator.variables["GIGACHAT_EMULATOR_CREDENTIALS_B2B"]
    _, secret = base64.b64decode(key).decode().split(":")

    async def storm(number):
        key = base64.b64encode(f"storm {number}:{secret}".encode()).decode()
        provider = emulator.provider(api_key=key, scope="GIGACHAT_API_B2B")
        await provider.generate("warm up")
        emulator.ask("POST", "revoke")
        before = emulator.counters()
        texts = await asyncio.gather(*(provider.generate(f"prompt {n}") for n in range(10)))
        after = emulator.counters()
        assert [f"prompt {n}" in text for n, text in enumerate(texts)] == [True] * 10
        assert after["token_requests"] - before["token_requests"] == 1
        return after["rejected_401"] - before["rejected_401"]

    # On a busy machine the first refusal may come before a second request is sent: that is no storm yet.
    assert any(asyncio.run(storm(number)) > 1 for number in range(50)), "none was a storm"
