"""The OpenAI SDK against the emulator through the proxy gpt2giga, which speaks chat v1 or v2 to the service.

    openai_by_proxy.py v1|v2
"""

import importlib.metadata
import io
import os
import socket
import subprocess
import sys
import tempfile
import time

from openai import OpenAI

from checks import Checks

mode = sys.argv[1]
checks = Checks(f"openai {importlib.metadata.version('openai')} by gpt2giga {importlib.metadata.version('gpt2giga')}, {mode}")

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def proxy(port, folder_of_logs):
    folder = os.path.dirname(sys.executable)
    command = [os.path.join(folder, "gpt2giga"), "--proxy.host", "127.0.0.1", "--proxy.port", str(port),
               "--proxy.gigachat-api-mode", mode, "--gigachat.model", "GigaChat-2-Max"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder_of_logs)
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise SystemExit("gpt2giga does not start")
            time.sleep(0.1)


def check(name):
    def register(function):
        checks.run(name, function)
        return function

    return register


port = free_port()
logs = tempfile.TemporaryDirectory()
running = proxy(port, logs.name)
try:
    openai = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0, timeout=60)

    def ask(text, **fields):
        return openai.chat.completions.create(
            model="GigaChat-2-Max", messages=[{"role": "user", "content": text}], **fields
        )

    @check("chat")
    def _():
        assert ask("repeat: one").choices[0].message.content == "one"

    @check("stream")
    def _():
        chunks = ask("count to 5", stream=True)
        texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(texts) == "1, 2, 3, 4, 5"

    @check("tools and their results")
    def _():
        answer = ask("Omsk", tools=[TOOL]).choices[0].message
        call = answer.tool_calls[0]
        assert call.function.name == "get_weather"
        history = [{"role": "user", "content": "Omsk"}, answer.model_dump(exclude_none=True),
                   {"role": "tool", "tool_call_id": call.id, "content": '{"t": -9}'}]
        again = openai.chat.completions.create(model="GigaChat-2-Max", messages=history, tools=[TOOL])
        assert "-9" in again.choices[0].message.content

    @check("tools in a stream")
    def _():
        chunks = [chunk for chunk in ask("Omsk", tools=[TOOL], stream=True) if chunk.choices]
        assert any(chunk.choices[0].delta.tool_calls for chunk in chunks)

    @check("models")
    def _():
        assert any(model.id == "GigaChat-2-Max" for model in openai.models.list().data)

    @check("responses")
    def _():
        answer = openai.responses.create(model="GigaChat-2-Max", input="repeat: one")
        assert "one" in answer.output_text

    @check("embeddings")
    def _():
        vectors = openai.embeddings.create(model="Embeddings", input=["one", "two"]).data
        assert [len(vector.embedding) for vector in vectors] == [1024, 1024]

    @check("files")
    def _():
        file = openai.files.create(file=("a.txt", io.BytesIO(b"hello")), purpose="user_data")
        assert openai.files.retrieve(file.id).id == file.id
        assert openai.files.list().data
        # Not the content: this proxy asks the SDK for `aget_file_content`, which no release of it has.
        assert openai.files.delete(file.id).deleted
finally:
    running.terminate()
    running.wait(30)
    logs.cleanup()

checks.end()
