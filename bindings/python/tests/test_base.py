"""`BaseProvider`, `MockProvider`, `Config`, and the log."""

import asyncio
import logging
import pickle
import time

import pytest

from orchestrator import Config
from orchestrator.providers import (
    AuthenticationError,
    BaseProvider,
    GenerationParams,
    InvalidRequestError,
    MockProvider,
    ProviderConfig,
    RateLimitError,
    TimeoutError,
)


class Own(BaseProvider):
    async def generate(self, prompt, params=None):
        return f"own {prompt}"

    async def health_check(self):
        return True


def test_a_subclass_needs_two_methods_and_is_given_the_others():
    with pytest.raises(TypeError):
        BaseProvider(ProviderConfig(name="x"))
    own = Own(ProviderConfig(name="own", model="m"))

    async def main():
        return [piece async for piece in own.generate_stream("x")]

    assert asyncio.run(main()) == ["own x"]
    assert own.get_model_info() == {"name": "own", "model": "m", "provider_type": "Own"}
    assert own.logger.name == "orchestrator.providers.own"
    assert pickle.loads(pickle.dumps(own)).config == own.config


def test_retry_with_backoff_repeats_what_may_succeed_later(monkeypatch):
    waits = []

    async def note(seconds):
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    own = Own(ProviderConfig(name="own", max_retries=3))
    calls = []

    async def fail():
        calls.append(1)
        raise RateLimitError("again")

    with pytest.raises(RateLimitError):
        asyncio.run(own._retry_with_backoff(fail))
    assert (len(calls), waits) == (3, [1, 2])

    calls.clear()
    with pytest.raises(RateLimitError):
        asyncio.run(own._retry_with_backoff(fail, max_retries=0))  # O3: 0 is 0, not the default
    assert len(calls) == 1

    async def refuse():
        calls.append(1)
        raise AuthenticationError("no")

    calls.clear()
    with pytest.raises(AuthenticationError):
        asyncio.run(own._retry_with_backoff(refuse))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("mock-timeout", TimeoutError),
        ("mock-ratelimit", RateLimitError),
        ("mock-auth-error", AuthenticationError),
        ("MOCK-invalid-request", InvalidRequestError),
    ],
)
def test_the_modes_of_the_mock(mode, error):
    mock = MockProvider(ProviderConfig(name="mock", model=mode))
    with pytest.raises(error):
        asyncio.run(mock.generate("x"))

    async def read():
        return [piece async for piece in mock.generate_stream("x")]

    with pytest.raises(error):
        asyncio.run(read())


def test_the_mock_answers():
    async def main():
        mock = MockProvider(ProviderConfig(name="mock"))
        assert await mock.health_check()
        assert not await MockProvider(ProviderConfig(name="m", model="mock-unhealthy")).health_check()
        text = await mock.generate("Hello, world", GenerationParams(max_tokens=10))
        pieces = [piece async for piece in mock.generate_stream("Hello, world")]
        return text, pieces

    text, pieces = asyncio.run(main())
    assert text == "Mock respo"
    assert pieces == ["Mock ", "response ", "to: ", "Hello, ", "world"]


def test_config_reads_environment_and_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("GIGACHAT_API_KEY='from file'\nMAX_RETRIES=7\n# comment\n")
    monkeypatch.setenv("MAX_RETRIES", "5")
    config = Config.from_env()
    assert (config.gigachat_api_key, config.max_retries, config.log_level) == ("from file", 5, "INFO")
    assert config.to_dict()["timeout_seconds"] == 30
    assert "from file" not in repr(config)


def test_the_librarys_records_reach_the_providers_logger(emulator, caplog):
    emulator.fault({"type": "status", "code": 500}, endpoint="chat")
    provider = emulator.provider(name="logged", max_retries=2)
    with caplog.at_level(logging.INFO, logger="orchestrator.providers"):
        provider.generate_sync("x")
        give_up = time.monotonic() + 5
        while time.monotonic() < give_up:
            provider.health_check_sync()
            records = [record for record in caplog.records if "sent again" in record.getMessage()]
            if records:
                break
    assert records[0].name == "orchestrator.providers.logged"
    assert emulator.key not in caplog.text
