"""A job's file: it survives kill -9, a torn line and a full disk, and has every key once."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from conftest import BOUND
from orchestrator import batch

JOB = """
    import os, signal, sys
    from orchestrator import batch
    from orchestrator.providers import GigaChatProvider, ProviderConfig

    # A shell's background job ignores it, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    key = os.environ["GIGACHAT_EMULATOR_CREDENTIALS_CORP"]
    provider = GigaChatProvider(ProviderConfig(name="corp", api_key=key, scope="GIGACHAT_API_CORP", max_retries=0))

    def rows(count):
        for number in range(count):
            yield f"key {number}", f"repeat: {number}"
"""


@pytest.fixture
def corp(emulator):
    key = emulator.variables["GIGACHAT_EMULATOR_CREDENTIALS_CORP"]
    return emulator.provider(api_key=key, scope="GIGACHAT_API_CORP", max_retries=0)


@pytest.fixture
def start(emulator):
    """Starts a program that begins with JOB."""
    running = []

    def begin(source, *arguments, under=()):
        program = textwrap.dedent(JOB) + textwrap.dedent(source)
        environment = {**os.environ, **emulator.variables}
        process = subprocess.Popen(
            [*under, sys.executable, "-c", program, *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate(timeout=BOUND)


def of(path):
    return list(batch.read(path))


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_lines(path, count, process):
    give_up = time.monotonic() + BOUND
    while lines(path) < count and process.poll() is None:
        assert time.monotonic() < give_up, "no lines appear"
        time.sleep(0.002)


def pairs(count):
    return [(f"key {number}", f"repeat: {number}") for number in range(count)]


def whole(path, count):
    """Every key once, each with its own answer."""
    found = of(path)
    assert len(found) == count
    assert {result.key: result.text for result in found} == {f"key {number}": str(number) for number in range(count)}
    return True


@pytest.mark.timeout(300)
def test_kill_9_at_20_moments_and_a_resumed_job_has_every_key_once(emulator, corp, start, tmp_path):
    out, count, window = tmp_path / "out.jsonl", 1000, 20
    emulator.fault({"type": "delay_headers", "ms": 20}, endpoint="chat", times=0)
    chance = random.Random(9)
    for _ in range(20):
        before = lines(out)
        process = start("batch.run_sync(provider, rows(int(sys.argv[2])), sys.argv[1])", out, count)
        wait_for_lines(out, before + chance.randint(1, 40), process)
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate(timeout=BOUND)
    assert 20 <= lines(out) < count, "killed in the middle"
    report = batch.run_sync(corp, pairs(count), out)
    assert report.failed == 0 and whole(out, count)
    assert batch.run_sync(corp, pairs(count), out).skipped == count
    assert emulator.counters()["chat_attempts"] <= count + 20 * window, "a window at most is asked twice"


def test_an_interrupt_leaves_a_file_that_can_be_resumed(emulator, corp, start, tmp_path):
    out = tmp_path / "out.jsonl"
    emulator.fault({"type": "delay_headers", "ms": 20}, endpoint="chat", times=0)
    process = start("batch.run_sync(provider, rows(1000), sys.argv[1])", out)
    wait_for_lines(out, 30, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=BOUND)
    assert process.returncode == -signal.SIGINT and said.rstrip().endswith("KeyboardInterrupt"), said
    assert "never retrieved" not in said and "pending" not in said
    assert 30 <= len(of(out)) < 1000
    emulator.ask("POST", "reset")
    assert batch.run_sync(corp, pairs(1000), out).failed == 0 and whole(out, 1000)


@pytest.mark.parametrize("end", [b'{"ke', b'{"key": "key 9", "text": "9"', b'{"key": "key 9"}\n', b"\0\0\0\0", b"\0\0\n"])
def test_a_torn_end_is_cut_off(corp, tmp_path, end):
    out = tmp_path / "out.jsonl"
    batch.run_sync(corp, pairs(5), out)
    with open(out, "ab") as file:
        file.write(end)
    assert len(of(out)) == 5
    report = batch.run_sync(corp, pairs(10), out)
    assert (report.ok, report.skipped) == (5, 5) and whole(out, 10)


@pytest.mark.parametrize("content", [b'{"id": 1, "prompt": "a"}\n', b'{"id": 1}', b"text\n", b'{"key": "torn\n{"key": "a", "text": "x", "error": null}\n'])
def test_a_file_that_no_job_wrote_is_left_as_it_is(emulator, corp, tmp_path, content):
    out = tmp_path / "out.jsonl"
    out.write_bytes(content)
    with pytest.raises(batch.JournalError, match="line 1: not a line that a job wrote"):
        batch.run_sync(corp, pairs(5), out)
    assert out.read_bytes() == content and emulator.counters()["chat_attempts"] == 0


def test_a_file_that_is_no_file_or_in_use_or_not_to_be_resumed_is_refused(corp, tmp_path):
    out = tmp_path / "out.jsonl"
    with pytest.raises(batch.JournalError, match="not a regular file"):
        batch.run_sync(corp, pairs(5), "/dev/null")

    def rows():
        yield from pairs(2)
        with pytest.raises(batch.JournalError, match="another job is writing"):
            batch.run_sync(corp, pairs(5), out)

    batch.run_sync(corp, rows(), out)
    before = out.read_bytes()
    with pytest.raises(FileExistsError, match="resume=True goes on with it"):
        batch.run_sync(corp, pairs(5), out, resume=False)
    twice = tmp_path / "twice.jsonl"
    twice.write_bytes(before + before)
    with pytest.raises(batch.JournalError, match="is in line 1 and in line 3|is in line 2 and in line"):
        batch.run_sync(corp, pairs(5), twice)
    assert (out.read_bytes(), twice.read_bytes()) == (before, before + before)


def test_a_full_disk_ends_the_job_with_a_file_that_can_be_resumed(corp, start, tmp_path):
    """The limit on a file's size stops a write in the middle of a line, as a full disk does."""
    out = tmp_path / "out.jsonl"
    process = start(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        try:
            batch.run_sync(provider, rows(200), sys.argv[1])
        except OSError as error:
            print(error)
        """,
        out,
    )
    said, failed = process.communicate(timeout=BOUND)
    assert process.returncode == 0 and "can be resumed" in said and str(out) in said, failed
    assert out.read_bytes().endswith(b"}\n") and 5 < len(of(out)) < 200
    assert batch.run_sync(corp, pairs(200), out).failed == 0 and whole(out, 200)


def test_a_disk_without_space_does_the_same(corp, start, tmp_path):
    """A file system of 32 KB, where this user may mount one."""
    unshare = shutil.which("unshare")
    inside = ["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(tmp_path)]
    if not unshare or subprocess.run([unshare, "-Urm", *inside], capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    process = start(
        f"""
        import errno, subprocess
        subprocess.run({inside!r}, check=True)
        out = sys.argv[1]
        try:
            batch.run_sync(provider, rows(2000), out)
        except OSError as error:
            assert error.errno == errno.ENOSPC and "can be resumed" in str(error), error
            assert open(out, "rb").read().endswith(b"}}\\n")
            found = [result.key for result in batch.read(out)]
            assert 20 < len(found) == len(set(found)) < 2000
            subprocess.run(["mount", "-o", "remount,size=8m", {str(tmp_path)!r}], check=True)
            report = batch.run_sync(provider, rows(2000), out)
            print(report.ok + len(found), report.failed, sum(1 for _ in batch.read(out)))
        """,
        tmp_path / "out.jsonl",
        under=(unshare, "-Urm"),
    )
    said, failed = process.communicate(timeout=BOUND * 2)
    assert process.returncode == 0 and said.split() == ["2000", "0", "2000"], failed


def test_failed_rows_are_asked_again_and_stay_in_the_file_once(emulator, corp, tmp_path):
    out = tmp_path / "out.jsonl"
    emulator.fault({"type": "status", "code": 500}, endpoint="chat", times=3)
    emulator.fault({"type": "status", "code": 422}, endpoint="chat", times=2)
    assert batch.run_sync(corp, pairs(20), out).failed == 5
    report = batch.run_sync(corp, pairs(20), out, retry_failed=False)
    assert (report.ok, report.skipped) == (0, 20)
    report = batch.run_sync(corp, pairs(20), out)
    assert (report.ok, report.failed, report.skipped) == (3, 0, 17)
    found = of(out)
    assert len({result.key for result in found}) == len(found) == 20
    assert sorted(result.error.status for result in found if result.error) == [422, 422]
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_row_that_asks_something_else_under_an_old_key_is_refused(corp, tmp_path):
    out = tmp_path / "out.jsonl"
    batch.run_sync(corp, ["one", "two"], out, ordered=True)
    with pytest.raises(batch.ChangedRowError, match="row 1: the key 1 was answered for another request .line 2"):
        batch.run_sync(corp, ["one", "three"], out, limit_in_flight=1)


def test_a_line_has_everything_that_is_known(corp, tmp_path):
    out = tmp_path / "out.jsonl"
    batch.run_sync(corp, [("ключ", "repeat: ответ")], out)
    line = json.loads(out.read_text(encoding="utf-8"))
    assert list(line) == ["key", "text", "finish_reason", "usage", "model", "request_id", "error", "digest"]
    assert (line["key"], line["text"], line["finish_reason"], line["error"]) == ("ключ", "ответ", "stop", None)
    assert line["usage"]["total_tokens"] > 0 and line["model"] and line["request_id"]
    assert "ответ" in out.read_text(encoding="utf-8"), "readable"


def test_memory_does_not_grow_with_the_rows(start, tmp_path):
    """No request is sent: the rows are answered by a provider of the program's own."""
    process = start(
        """
        import resource
        from orchestrator.providers import BaseProvider

        class Echo(BaseProvider):
            async def generate(self, prompt, params=None):
                return prompt
            async def health_check(self):
                return True

        echo = Echo(ProviderConfig(name="echo"))

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        batch.run_sync(echo, rows(5_000), sys.argv[1] + ".first")
        few = peak()
        report = batch.run_sync(echo, rows(100_000), sys.argv[1])
        batch.run_sync(echo, rows(100_001), sys.argv[1])
        print(report.ok, peak() - few)
        """,
        tmp_path / "out.jsonl",
    )
    said, failed = process.communicate(timeout=100)
    assert process.returncode == 0, failed
    ok, grown = map(int, said.split())
    assert ok == 100_000 and grown < 6_000, f"{grown} KB"
