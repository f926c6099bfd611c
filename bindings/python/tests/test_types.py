"""The annotations: strict, and the stubs say what the native module is."""

import subprocess
import sys

import pytest

pytest.importorskip("mypy")

PROGRAM = '''
import asyncio

from orchestrator import Router, UsageData
from orchestrator.providers import GenerationParams, GigaChatProvider, ProviderConfig, RateLimitError


async def told(usage: UsageData) -> None:
    print(usage.total_tokens)


async def main() -> None:
    config = ProviderConfig(name="gigachat", api_key="key", timeout=30.0, max_concurrency=2)
    provider = GigaChatProvider(config)
    text: str = await provider.generate("hello", GenerationParams(temperature=0.5), timeout=3)
    async for piece in provider.generate_stream(text):
        print(piece.upper())
    async with provider.chat_stream([{"role": "user", "content": "hello"}]) as stream:
        async for chunk in stream:
            print(chunk.text, chunk.usage and chunk.usage.total_tokens)
    router = Router(strategy="round-robin", usage_callback=told)
    router.add_provider(provider)
    try:
        print(await router.route("hello"), router.route_sync("hello"))
        async for piece in router.route_stream("hello"):
            print(piece.upper())
    except RateLimitError as error:
        print(error.retry_after)
    for part in provider.generate_stream_sync("hello"):
        print(part.upper())


asyncio.run(main())
'''


def _run(*command):
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_users_program_is_strictly_typed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    _run("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program))


def test_the_package_is_strictly_typed(tmp_path):
    _run("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "-p", "orchestrator")


def test_the_stubs_say_what_the_native_module_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _run("mypy.stubtest", "orchestrator._gigachat")
