"""A server that forks its workers after the application was loaded, and had used its provider."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("gunicorn")

WORKERS = 3

APPLICATION = '''
import os
from orchestrator.providers import GigaChatProvider, ProviderConfig

provider = GigaChatProvider(ProviderConfig(name="g", api_key=os.environ["GIGACHAT_CREDENTIALS"], max_concurrency=0))
loaded_in = os.getpid()
provider.generate_sync(f"process {loaded_in} loads the application")

def application(environ, start_response):
    text = provider.generate_sync(f"process {os.getpid()} answers")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{loaded_in} {os.getpid()} {text}".encode()]
'''

SETTINGS = f"""
workers = {WORKERS}
preload_app = True

def on_exit(server):
    import os, application
    application.provider.generate_sync(f"process {{os.getpid()}} still works")
"""


@pytest.fixture
def server(emulator, tmp_path):
    """The address of a gunicorn that serves the application, and its process."""
    (tmp_path / "application.py").write_text(APPLICATION)
    (tmp_path / "settings.py").write_text(SETTINGS)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "settings.py", "--bind", f"fd://{listener.fileno()}",
             "application:application"],
            cwd=tmp_path,
            env={**os.environ, **emulator.variables},
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            yield listener.getsockname(), process
        finally:
            process.kill()
            process.communicate()


def _ask(address) -> list[str]:
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, text
    connection.close()
    return text.split(maxsplit=2)


def test_workers_of_a_preloaded_application_answer_over_connections_of_their_own(emulator, server):
    address, process = server
    emulator.fault({"type": "delay_headers", "ms": 50}, endpoint="chat", times=0)
    answered: dict[str, int] = {}
    give_up = time.monotonic() + 20
    with ThreadPoolExecutor(2 * WORKERS) as threads:
        while len(answered) < WORKERS or min(answered.values()) < 3:
            assert time.monotonic() < give_up, f"answered so far: {answered}"
            for parent, worker, text in threads.map(_ask, [address] * 2 * WORKERS):
                assert worker in text and parent != worker
                answered[worker] = answered.get(worker, 0) + 1
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0 and "Traceback" not in log, log

    used: dict[str, set[int]] = {}
    for request in emulator.requests("/chat/completions"):
        asker = re.search(r"process (\d+)", json.loads(request["body"])["messages"][0]["content"])[1]
        used.setdefault(asker, set()).add(request["connection"])
    assert set(used) == {parent, *answered}
    assert "still works" in emulator.requests("/chat/completions")[-1]["body"]
    shared = [(one, other) for one in used for other in used if one < other and used[one] & used[other]]
    assert not shared, used
    assert all(len(connections) == 1 for connections in used.values()), f"not reused: {used}"
