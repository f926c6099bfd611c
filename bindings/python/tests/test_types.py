"""The annotations: strict for mypy and pyright, complete, and the stubs say what the native module is.

pyright comes as basedpyright, in its standard mode: the same checker in a package that needs nothing
from another registry.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("mypy")
pytest.importorskip("basedpyright")

pytestmark = pytest.mark.timeout(300)

PROGRAM = '''
import asyncio

from orchestrator import Router, UsageData, batch
from orchestrator.providers import GenerationParams, GigaChatProvider, ProviderConfig, RateLimitError


async def told(usage: UsageData) -> None:
    print(usage.total_tokens)


async def main() -> None:
    config = ProviderConfig(name="gigachat", api_key="key", timeout=30.0, max_concurrency=2)
    provider = GigaChatProvider(config)
    text: str = await provider.generate("hello", GenerationParams(temperature=0.5), timeout=3, deadline=9)
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
    report = await batch.run(provider, [("key", "hello")], "out.jsonl", prices={"GigaChat": (0.1, 0.2)}, progress=show)
    print(report.usage.total_tokens, report.cost + 1)
    async for result in batch.stream(provider, ["hello"]):
        print(result.key, (result.text or "").upper(), result.error and result.error.retryable)


def show(progress: batch.Progress) -> None:
    print(progress.rate + 1)


asyncio.run(main())
'''

WRONG = '''
import orchestrator
from orchestrator import GenerationParams, GigaChatProvider, ProviderConfig, Router

GigaChatProvider(api_kye="a2V5")  # wrong
ProviderConfig(api_kye="a2V5")  # wrong
ProviderConfig(scope="PERS")  # wrong
ProviderConfig(max_concurrency="four")  # wrong
GenerationParams(temprature=0.5)  # wrong
Router(strategy="best")  # wrong
provider = GigaChatProvider(api_key="a2V5", credentials="a2V5")
provider.generate_sync(5)  # wrong
provider.generate_sync("x", temprature=0.5)  # wrong
provider.generate_sync("x", timeout="5")  # wrong
provider.generate_sync("x").content  # wrong
provider.chat_sync("x").choices  # wrong
provider.config.timeout = "soon"  # wrong
provider.chat_sync(5)  # wrong
provider.generate_sync("x", session_id=1.5)  # wrong
provider.generate_sync("x", 0.5)  # wrong
provider.chat_sync("x").usage.total_tokens  # wrong
GigaChatProvider("a2V5")  # wrong
for chunk in provider.chat_stream_sync("x"):
    chunk.delta  # wrong
Router().add_provider("x")  # wrong
provider.nothing  # wrong
orchestrator.nothing  # wrong
provider.config.api_kye = "x"  # wrong
'''
"""Lines that users wrote, each wrong; the line that has the official SDK's word is right."""


def _wrong_lines():
    return {at for at, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}


def test_mypy_finds_every_wrong_line_and_no_other(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    assert found == _wrong_lines(), done.stdout + done.stderr


def test_pyright_finds_every_wrong_line_and_no_other(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(WRONG)
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "standard", "pythonVersion": "3.10", "include": [str(program)]}))
    found = _pyright("-p", settings)["generalDiagnostics"]
    lines = {one["range"]["start"]["line"] + 1 for one in found if one["severity"] == "error"}
    assert lines == _wrong_lines(), [one["message"] for one in found]


def _run(*command):
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr


def _pyright(*arguments):
    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    return json.loads(done.stdout)


def _pyright_complaints(folder, *included):
    settings = folder / "pyrightconfig.json"
    options = {"typeCheckingMode": "standard", "pythonVersion": "3.10", "include": [str(path) for path in included]}
    settings.write_text(json.dumps(options))
    found = _pyright("-p", settings)
    assert found["summary"]["filesAnalyzed"] > 0
    return [f"{one['file']}: {one['message']}" for one in found["generalDiagnostics"]]


def test_pyright_has_nothing_to_say_of_program_and_package(tmp_path):
    import orchestrator

    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    assert not _pyright_complaints(tmp_path, program, pathlib.Path(orchestrator.__file__).parent)
    program.write_text(PROGRAM.replace("piece.upper()", "piece.upperr()"))
    assert any("upperr" in one for one in _pyright_complaints(tmp_path, program)), "the check can fail"


def test_every_public_name_has_a_known_type():
    found = _pyright("--verifytypes", "orchestrator", "--ignoreexternal")["typeCompleteness"]
    counts = found["exportedSymbolCounts"]
    assert counts["withKnownType"] > 150
    assert (counts["withAmbiguousType"], counts["withUnknownType"]) == (0, 0), [
        (symbol["name"], [one["message"] for one in symbol["diagnostics"]])
        for symbol in found["symbols"]
        if symbol["isExported"] and symbol["diagnostics"]
    ]


def test_a_users_program_is_strictly_typed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    _run("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program))


def test_the_package_is_strictly_typed(tmp_path):
    _run("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "-p", "orchestrator")


def test_the_stubs_say_what_the_native_module_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _run("mypy.stubtest", "orchestrator._gigachat")
