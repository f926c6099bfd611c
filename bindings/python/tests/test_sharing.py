"""Processes that share a credential (I20): none loses a row, whether they know of each other or not."""

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from conftest import BOUND
from orchestrator.providers import ConfigurationError, GigaChatProvider

WORKER = """
    import asyncio, json, os, signal, sys, time
    from orchestrator.providers import GigaChatProvider, ProviderConfig

    provider = GigaChatProvider(ProviderConfig(**json.loads(sys.argv[1])))

    async def gather(rows):
        return await asyncio.gather(*(provider.generate(f"repeat: {row}") for row in rows), return_exceptions=True)

    def fork(*_):
        # A child that outlives its parent for a while.
        if os.fork() == 0:
            os.close(1)
            time.sleep(15)
            os._exit(0)

    signal.signal(signal.SIGUSR1, fork)
    print("ready", flush=True)
    for line in sys.stdin:
        rows = json.loads(line)
        outcomes = asyncio.run(gather(rows))
        print(json.dumps([answer if isinstance(answer, str) else repr(answer) for answer in outcomes]), flush=True)
"""


class Worker:
    """A process with one provider. It is told rows and answers with their answers."""

    def __init__(self, emulator, options):
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WORKER), json.dumps(options)],
            env={**os.environ, **emulator.variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def is_ready(self):
        assert self.process.stdout.readline() == "ready\n"
        return self

    def tell(self, what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def answers(self):
        return json.loads(self.process.stdout.readline())


@pytest.fixture
def workers(emulator):
    """Starts so many of them, and waits until they have loaded."""
    started = []

    def start(count, **options):
        new = [Worker(emulator, {"name": "shared", **options}) for _ in range(count)]
        started.extend(new)
        return [worker.is_ready() for worker in new]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.communicate(timeout=BOUND)


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "shared")


def personal(emulator):
    return {"api_key": emulator.key}


def business(emulator):
    return {"api_key": emulator.variables["GIGACHAT_EMULATOR_CREDENTIALS_CORP"], "scope": "GIGACHAT_API_CORP"}


ACCOUNTS = pytest.mark.parametrize(
    ("account", "rows", "permits"), [(personal, 80, 1), (business, 400, 10)], ids=["PERS", "CORP"]
)


def all_answered(workers, rows):
    """Has the workers answer all rows, each its part; none is lost."""
    parts = [list(range(rows))[number :: len(workers)] for number in range(len(workers))]
    for worker, part in zip(workers, parts):
        worker.tell(part)
    for worker, part in zip(workers, parts):
        assert worker.answers() == [str(row) for row in part]
    return True


@pytest.mark.timeout(120)
@ACCOUNTS
def test_four_processes_that_know_nothing_of_each_other_lose_no_row(emulator, workers, account, rows, permits):
    emulator.fault({"type": "delay_headers", "ms": 100}, endpoint="chat", times=0)
    assert all_answered(workers(4, **account(emulator)), rows)
    refused = emulator.counters()["rejected_429"]
    assert 0 < refused < rows / 4


@pytest.mark.timeout(120)
@ACCOUNTS
def test_four_processes_that_share_their_permits_get_no_429_and_one_token(
    emulator, workers, folder, account, rows, permits
):
    emulator.fault({"type": "delay_headers", "ms": 100}, endpoint="chat", times=0)
    assert all_answered(workers(4, shared_permits=folder, **account(emulator)), rows)
    counters = emulator.counters()
    assert (counters["rejected_429"], counters["token_requests"]) == (0, 1)
    assert counters["peak_in_flight"] == permits


@pytest.mark.parametrize("with_child", [False, True], ids=["alone", "with a forked child"])
def test_a_holder_that_is_killed_frees_its_place_at_once(emulator, workers, folder, report_latency, with_child):
    emulator.fault({"type": "delay_headers", "ms": 60_000}, endpoint="chat")
    options = {"shared_permits": folder, **personal(emulator)}
    holder, other = workers(2, **options)
    holder.tell(["held"])
    emulator.wait("in_flight", at_least=1)
    if with_child:
        holder.process.send_signal(signal.SIGUSR1)
    other.tell(["next"])
    time.sleep(0.3)
    assert emulator.counters()["chat_attempts"] == 1, "the other one waits"
    begun = time.monotonic()
    holder.process.kill()
    emulator.wait("chat_attempts", at_least=2)
    report_latency("a killed holder's permit", [time.monotonic() - begun], 1)
    if not with_child:  # to the service the child keeps the connection, and with it the request
        assert other.answers() == ["next"]
        assert emulator.counters()["rejected_429"] == 0


def test_a_token_that_is_refused_is_replaced_once_for_all(emulator, workers, folder):
    one, other = workers(2, shared_permits=folder, **personal(emulator))
    for worker in (one, other):
        worker.tell(["first"])
        assert worker.answers() == ["first"]
    assert emulator.counters()["token_requests"] == 1
    for worker in (one, other):
        emulator.fault({"type": "status", "code": 401}, endpoint="chat")
        worker.tell(["again"])
        assert worker.answers() == ["again"]
        assert emulator.counters()["token_requests"] == 2


def test_the_files_are_this_users_alone_and_hold_no_key(emulator, workers, folder):
    (worker,) = workers(1, shared_permits=folder, **personal(emulator))
    worker.tell(["x"])
    assert worker.answers() == ["x"]
    found = [os.path.join(path, name) for path, folders, files in os.walk(folder) for name in (*folders, *files)]
    assert {oct(os.stat(path).st_mode & 0o777) for path in found if os.path.isfile(path)} == {"0o600"}
    assert {oct(os.stat(path).st_mode & 0o777) for path in [folder, *found] if os.path.isdir(path)} == {"0o700"}
    for path in found:
        assert emulator.key not in path
        if os.path.isfile(path):
            with open(path, "rb") as file:
                assert emulator.key.encode() not in file.read()


def test_a_folder_that_others_can_write_to_is_refused_before_anything_is_sent(emulator, folder):
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    with pytest.raises(ConfigurationError, match="shared_permits: .*shared is open to other users"):
        emulator.provider(shared_permits=folder).generate_sync("x")
    for bad in ("", "relative/path", "Host"):
        with pytest.raises(ValueError, match='shared_permits: .*"host" or the absolute path'):
            emulator.config(shared_permits=bad)
    with pytest.raises(ValueError, match="max_concurrency: 101 is not accepted"):
        emulator.provider(shared_permits=folder, max_concurrency=101).generate_sync("x")
    counters = emulator.counters()
    assert (counters["token_requests"], counters["chat_attempts"]) == (0, 0)


def test_fifty_providers_in_a_row_make_one_token_request(emulator):
    for number in range(50):
        assert emulator.provider().generate_sync(f"repeat: {number}") == str(number)
    assert emulator.counters()["token_requests"] <= 1


def test_unpickled_providers_share_one_connection(emulator):
    provider = emulator.provider()
    provider.generate_sync("x")
    packed, before = pickle.dumps(provider), emulator.counters()
    for number in range(300):
        assert pickle.loads(packed).generate_sync(f"repeat: {number}") == str(number)
    after = emulator.counters()
    assert after["tls_handshakes"] - before["tls_handshakes"] <= 1
    assert after["token_requests"] == before["token_requests"]


def test_providers_of_equal_configurations_share_their_connections_and_others_do_not(emulator):
    with open(os.environ["GIGACHAT_CA_BUNDLE_FILE"]) as file:
        bundle = file.read()
    first = emulator.provider()
    first.generate_sync("x")

    def opened_by(**options):
        before = emulator.counters()["tls_handshakes"]
        GigaChatProvider(emulator.config(**options)).generate_sync("x")
        return emulator.counters()["tls_handshakes"] - before

    assert opened_by() == 0
    assert opened_by(ca_bundle_file=None, ca_bundle_pem=bundle) > 0
    assert opened_by(proxy_from_environment=False, connect_timeout=9) > 0
