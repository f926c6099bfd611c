"""The programs of multi-llm-orchestrator's users, as its documentation has them."""

import asyncio

import pytest


def test_the_first_program_runs_as_it_is(run_program):
    done = run_program(
        """
        import asyncio
        from orchestrator.providers import ProviderConfig, GigaChatProvider

        async def main():
            import os
            config = ProviderConfig(
                name="gigachat",
                api_key=os.environ["GIGACHAT_CREDENTIALS"],
                scope="GIGACHAT_API_PERS",
                model="GigaChat",
                timeout=30.0,
                verify_ssl=False
            )
            provider = GigaChatProvider(config)
            response = await provider.generate("What is Python?")
            print(response)

        asyncio.run(main())
        """
    )
    assert done.returncode == 0, done.stderr
    assert "What is Python?" in done.stdout
    assert "InsecureConnectionWarning" in done.stderr


def test_a_router_of_two_providers(emulator):
    from orchestrator import Router

    async def main():
        router = Router(strategy="round-robin")
        router.add_provider(emulator.provider(name="one"))
        router.add_provider(emulator.provider(name="two"))
        texts = [await router.route("What is Python?") for _ in range(4)]
        return texts, {name: known.total_requests for name, known in router.get_metrics().items()}

    texts, counts = asyncio.run(main())
    assert all("What is Python?" in text for text in texts)
    assert counts == {"one": 2, "two": 2}


def test_parameters_are_sent_and_without_them_none_are(emulator):
    import json

    from orchestrator.providers.base import GenerationParams

    async def main():
        provider = emulator.provider()
        params = GenerationParams(temperature=0.8, max_tokens=500, top_p=0.95)
        await provider.generate("Write a poem", params=params)
        await provider.generate("Write a poem")

    asyncio.run(main())
    with_params, without = [json.loads(sent["body"]) for sent in emulator.requests("/chat/completions")]
    assert (with_params["temperature"], with_params["max_tokens"], with_params["top_p"]) == (0.8, 500, 0.95)
    assert set(without) == {"model", "messages"}


def test_a_health_check_asks_the_service_each_time(emulator):  # O12
    async def main():
        provider = emulator.provider(max_retries=0)
        assert await provider.generate("warm up: a token is known")
        assert await provider.health_check()
        emulator.fault({"type": "status", "code": 500}, endpoint="models")
        healthy = await provider.health_check()
        return healthy, await provider.generate("Hello")

    healthy, text = asyncio.run(main())
    assert healthy is False
    assert "Hello" in text


def test_without_a_credential_there_is_no_provider():
    from orchestrator.providers import GigaChatProvider, ProviderConfig

    for key in (None, ""):
        with pytest.raises(ValueError, match="api_key"):
            GigaChatProvider(ProviderConfig(name="gigachat", api_key=key))


def test_no_verification_warns_once_at_the_callers_line(emulator, recwarn):
    from orchestrator.providers import InsecureConnectionWarning

    provider = emulator.provider(verify_ssl=False)
    provider.generate_sync("one")
    provider.generate_sync("two")
    warned = [warning for warning in recwarn if warning.category is InsecureConnectionWarning]
    assert len(warned) == 1
    assert warned[0].filename.endswith("conftest.py"), "the line that built the provider"
