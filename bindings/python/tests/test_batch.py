"""Many prompts in one call: forms of rows, order, errors, costs, progress. The file: test_batch_file.py."""

import asyncio
import json
import subprocess
import sys

import pytest

from orchestrator import Router, batch
from orchestrator.providers import MockProvider, PaymentRequiredError, ProviderConfig, RateLimitError

TEXTS = [f"repeat: {number}" for number in range(30)]


@pytest.fixture
def corp(emulator):
    """A provider with ten permits."""
    key = emulator.variables["GIGACHAT_EMULATOR_CREDENTIALS_CORP"]
    return emulator.provider(api_key=key, scope="GIGACHAT_API_CORP", max_retries=0)


def of(path):
    return list(batch.read(path))


def test_every_form_of_a_row_is_asked(corp):
    rows = [
        "repeat: text",
        [{"role": "user", "content": "repeat: messages"}],
        ("pair", "repeat: pair"),
        (7, [{"role": "user", "content": "repeat: pair of messages"}]),
        {"id": "dict", "prompt": "repeat: prompt"},
        {"id": "wire", "messages": [{"role": "user", "content": "repeat: wire"}], "temperature": 0.5},
        {"id": "service", "request": {"messages": [{"role": "user", "content": "repeat: request"}]}},
    ]
    results = batch.gather_sync(corp, rows)
    assert [(result.key, result.text) for result in results] == [
        (0, "text"),
        (1, "messages"),
        ("pair", "pair"),
        (7, "pair of messages"),
        ("dict", "prompt"),
        ("wire", "wire"),
        ("service", "request"),
    ]


def test_fields_of_a_request_are_sent_and_the_key_is_not(emulator, corp):
    batch.gather_sync(corp, [{"nr": "x", "messages": [{"role": "user", "content": "a"}], "temperature": 0.25}], key="nr")
    batch.gather_sync(corp, ["a"], params={"temperature": 0.5}, model="GigaChat-2-Pro")
    sent, other = [json.loads(request["body"]) for request in emulator.requests("/chat/completions")]
    assert sent["temperature"] == 0.25 and "nr" not in sent
    assert (other["temperature"], other["model"]) == (0.5, "GigaChat-2-Pro")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (5, "a int is no row"),
        (("a", "b", "c"), "this one has 3 parts"),
        ((None, "text"), "the key is None"),
        ((True, "text"), "not a bool"),
        ((1.5, "text"), "not a float"),
        (("a", 5), "the prompt is a int"),
        ({"id": 1, "prompt": "a", "label": 3}, "'label' beside 'prompt' would not be sent"),
        ({"id": 1}, "needs prompt, messages or request"),
        ({"id": 1, "messages": [object()]}, r"messages\[0\]: a object is not accepted"),
    ],
)
def test_a_row_that_cannot_be_used_ends_the_job_and_says_which(emulator, corp, row, says):
    with pytest.raises(ValueError, match="row 0: .*" + says):
        batch.gather_sync(corp, [row])
    assert emulator.counters()["chat_attempts"] == 0


def test_what_is_no_job_is_refused_before_anything_is_asked(emulator, corp, tmp_path):
    out = tmp_path / "out.jsonl"
    for options, says in [
        ({"rows": "one text"}, "not many rows"),
        ({"on_error": "ignore"}, "on_error"),
        ({"limit_in_flight": 0}, "limit_in_flight"),
        ({"max_cost": 5}, "without prices"),
        ({"max_cost": -1, "prices": 1}, "max_cost"),
        ({"prices": {"GigaChat": -1}}, "GigaChat"),
        ({"via": "pigeon"}, "via"),
    ]:
        with pytest.raises((ValueError, TypeError), match=says):
            batch.run_sync(**{"provider": corp, "rows": ["a"], "out": out, **options})
    with pytest.raises(NotImplementedError, match="batches of the service"):
        batch.run_sync(corp, ["a"], out, via="service")
    with pytest.raises(ValueError, match="the field 'nr' with the key is missing"):
        batch.run_sync(corp, [{"id": 1, "prompt": "a"}], out, key="nr")
    assert emulator.counters()["chat_attempts"] == 0


def test_duplicate_keys_are_refused(corp, tmp_path):
    with pytest.raises(batch.DuplicateKeyError, match="row 2: the key 'a' is that of row 0 too"):
        batch.run_sync(corp, [("a", "x"), ("b", "x"), ("a", "x")], tmp_path / "out.jsonl")
    results = batch.gather_sync(corp, [("1", "repeat: text"), (1, "repeat: number")])
    assert [result.text for result in results] == ["text", "number"], "a text is not a number"


def slow_head(emulator):
    """The first request that arrives, whichever row's it is, is answered last."""
    emulator.fault({"type": "delay_headers", "ms": 500}, endpoint="chat")


def test_results_come_in_the_order_of_the_rows_or_as_they_are_ready(emulator, corp, tmp_path):
    slow_head(emulator)
    batch.run_sync(corp, TEXTS, tmp_path / "ordered.jsonl", ordered=True)
    assert [result.key for result in of(tmp_path / "ordered.jsonl")] == list(range(30))
    slow_head(emulator)
    batch.run_sync(corp, TEXTS, tmp_path / "ready.jsonl")
    keys = [result.key for result in of(tmp_path / "ready.jsonl")]
    assert sorted(keys) == list(range(30)) != keys

    async def main():
        slow_head(emulator)
        ready = [result.key async for result in batch.stream(corp, TEXTS)]
        slow_head(emulator)
        return ready, [result.text for result in await batch.gather(corp, TEXTS)]

    ready, ordered = asyncio.run(main())
    assert sorted(ready) == list(range(30)) != ready
    assert ordered == [str(number) for number in range(30)]
    assert [result.text for result in batch.stream_sync(corp, TEXTS, ordered=True)] == ordered


def test_a_window_is_kept_to_and_rows_are_read_no_faster(emulator, corp):
    read = answered = most = 0

    def rows():
        nonlocal read, most
        for text in TEXTS:
            read += 1
            most = max(most, read - answered)
            yield text

    for _ in batch.stream_sync(corp, rows(), limit_in_flight=3):
        answered += 1
    assert answered == 30 and most <= 4
    assert emulator.counters()["peak_in_flight"] <= 3


def test_rows_may_come_asynchronously(corp):
    async def rows():
        for text in TEXTS:
            await asyncio.sleep(0)
            yield text

    results = asyncio.run(batch.gather(corp, rows()))
    assert [result.text for result in results] == [str(number) for number in range(30)]


def test_a_job_inside_of_a_running_loop_has_a_thread_of_its_own(corp):
    async def cell():
        return batch.gather_sync(corp, TEXTS), [result.text for result in batch.stream_sync(corp, TEXTS, ordered=True)]

    results, texts = asyncio.run(cell())
    assert [result.text for result in results] == texts == [str(number) for number in range(30)]


def test_a_stream_that_is_left_early_cancels_what_is_under_way(emulator, corp):
    emulator.fault({"type": "delay_headers", "ms": 15_000}, endpoint="chat", times=0, skip=1)
    for _ in batch.stream_sync(corp, TEXTS, limit_in_flight=5):
        break
    assert emulator.wait("in_flight", at_most=0)["in_flight"] == 0


def test_errors_are_rows(emulator, corp, tmp_path):
    emulator.fault({"type": "status", "code": 500}, endpoint="chat", skip=3)
    emulator.fault({"type": "status", "code": 422}, endpoint="chat", skip=3)
    report = batch.run_sync(corp, TEXTS, tmp_path / "out.jsonl", limit_in_flight=1)
    assert (report.ok, report.failed, report.skipped) == (28, 2, 0)
    errors = [result.error for result in of(tmp_path / "out.jsonl") if result.error]
    assert {(error.kind, error.status, error.retryable) for error in errors} == {
        ("ServerError", 500, True),
        ("InvalidRequestError", 422, False),
    }


def test_an_error_can_be_raised_or_asked_again(emulator, corp, tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.batch._asker._PAUSES", (0.01, 0.01))
    emulator.fault({"type": "status", "code": 429, "headers": {"Retry-After": "9"}}, endpoint="chat")
    with pytest.raises(RateLimitError):
        batch.run_sync(corp, ["a"], tmp_path / "raised.jsonl", on_error="raise")
    assert of(tmp_path / "raised.jsonl") == []
    emulator.fault({"type": "status", "code": 500}, endpoint="chat", times=2)
    report = batch.run_sync(corp, ["a"], tmp_path / "again.jsonl", on_error="retry")
    assert (report.ok, report.failed) == (1, 0)
    emulator.fault({"type": "status", "code": 500}, endpoint="chat", times=3)
    report = batch.run_sync(corp, ["a"], tmp_path / "given up.jsonl", on_error="retry")
    assert (report.ok, report.failed) == (0, 1)


def test_402_ends_the_job_and_a_resumed_one_goes_on(emulator, corp, tmp_path):
    out = tmp_path / "out.jsonl"
    emulator.fault({"type": "status", "code": 402}, endpoint="chat", times=0, skip=12)
    with pytest.raises(PaymentRequiredError):
        batch.run_sync(corp, TEXTS, out, on_error="retry", limit_in_flight=1)
    assert len(of(out)) == 12 and emulator.counters()["chat_attempts"] == 13, "at once"
    emulator.ask("POST", "reset")
    report = batch.run_sync(corp, TEXTS, out)
    assert (report.ok, report.skipped) == (18, 12)
    assert sorted(result.key for result in of(out)) == list(range(30))


def test_the_cost_is_the_sum_of_the_usage(corp, tmp_path):
    out = tmp_path / "out.jsonl"
    prices = {"GigaChat": (0.5, 2.0)}
    first = batch.run_sync(corp, TEXTS[:10], out, prices=prices)
    second = batch.run_sync(corp, TEXTS, out, prices=prices)

    def summed(name):
        return sum(getattr(result.usage, name) for result in of(out))

    prompt, answer = summed("prompt_tokens"), summed("completion_tokens")
    assert prompt > 0 and answer > 0
    assert second.total_cost == pytest.approx((prompt * 0.5 + answer * 2.0) / 1000)
    assert second.total_cost == pytest.approx(first.cost + second.cost)
    assert second.total_usage.total_tokens == summed("total_tokens")
    assert second.usage.total_tokens == summed("total_tokens") - first.usage.total_tokens


def test_a_bound_on_the_cost_is_kept_over_several_runs(emulator, corp, tmp_path):
    out = tmp_path / "out.jsonl"
    asked = [f"write 100 tokens, number {number:02}" for number in range(30)]
    one = batch.gather_sync(corp, asked[:1], prices=1.0)[0].usage
    bound = 10.5 * (one.prompt_tokens + one.completion_tokens) / 1000
    report = batch.run_sync(corp, asked, out, prices=1.0, max_cost=bound, limit_in_flight=4)
    assert report.stopped == "max_cost" and report.ok == 10
    assert report.total_cost <= bound
    report = batch.run_sync(corp, asked, out, prices=1.0, max_cost=bound)
    assert (report.stopped, report.ok, report.skipped) == ("max_cost", 0, 10)
    report = batch.run_sync(corp, asked, out, prices=1.0, max_cost=100 * bound)
    assert (report.stopped, report.ok) == (None, 20)


def test_a_bound_without_a_price_for_the_model_ends_the_job(corp, tmp_path):
    with pytest.raises(ValueError, match="none for the model 'GigaChat"):
        batch.run_sync(corp, TEXTS, tmp_path / "out.jsonl", prices={"other": 1.0}, max_cost=1.0)


def test_progress_is_told_and_ends_with_the_whole(corp, tmp_path):
    told = []
    batch.run_sync(corp, TEXTS, tmp_path / "out.jsonl", progress=told.append, prices=1.0)
    last = told[-1]
    assert (last.total, last.done, last.ok, last.failed, last.in_flight) == (30, 30, 30, 0, 0)
    assert last.rate > 0 and last.left == 0 and last.usage.total_tokens > 0 and last.cost > 0
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert str(last).startswith("30/30 rows, 0 failed, ")


def test_without_tqdm_progress_is_a_line(corp, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    batch.gather_sync(corp, TEXTS, progress=True)
    assert "\r30/30 rows" in capfd.readouterr().err


def test_tqdm_makes_a_bar(corp, capfd):
    pytest.importorskip("tqdm")
    batch.gather_sync(corp, TEXTS, progress=True)
    assert "30/30" in capfd.readouterr().err


def test_routers_and_a_programs_own_providers_answer_texts(emulator):
    router = Router()
    router.add_provider(emulator.provider(name="one"))
    router.add_provider(emulator.provider(name="two"))
    assert [result.text for result in batch.gather_sync(router, TEXTS)] == [str(number) for number in range(30)]
    mock = MockProvider(ProviderConfig(name="mock", model="mock-normal"))
    assert all(result.text for result in batch.gather_sync(mock, ["a", "b"]))
    with pytest.raises(ValueError, match="answers texts"):
        batch.gather_sync(mock, [[{"role": "user", "content": "a"}]])


def command(emulator, tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "orchestrator.batch", *map(str, arguments)],
        env={**{name: value for name, value in emulator.variables.items() if name != "GIGACHAT_EMULATOR"}, "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_answers_a_file_and_goes_on_with_it(emulator, tmp_path):
    rows = [{"id": f"r{number}", "prompt": f"repeat: {number}"} for number in range(20)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:5]))
    done = command(emulator, tmp_path, "in.jsonl", "out.jsonl")
    assert done.returncode == 0 and "5 answered, 0 failed, 0 there before" in done.stderr, done.stderr
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = command(emulator, tmp_path, "in.jsonl", "out.jsonl", "--price", "0.1")
    assert done.returncode == 0 and "15 answered, 0 failed, 5 there before" in done.stderr, done.stderr
    assert {result.key: result.text for result in of(tmp_path / "out.jsonl")} == {
        row["id"]: row["prompt"].removeprefix("repeat: ") for row in rows
    }


def test_the_command_says_what_is_wrong_and_with_which_line(emulator, tmp_path):
    (tmp_path / "in.jsonl").write_text('"a"\nnot json\n')
    done = command(emulator, tmp_path, "in.jsonl", "out.jsonl")
    assert done.returncode == 2 and "in.jsonl, line 2: not JSON" in done.stderr and "Traceback" not in done.stderr
    done = command(emulator, tmp_path, "absent.jsonl", "out.jsonl")
    assert done.returncode == 2 and "absent.jsonl" in done.stderr
