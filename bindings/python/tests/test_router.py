"""The router with native providers and a program's own, mixed."""

import asyncio
import logging

import pytest

from orchestrator import Router, UsageData
from orchestrator.providers import (
    BaseProvider,
    InvalidRequestError,
    MockProvider,
    ProviderConfig,
    ProviderError,
    RateLimitError,
    TimeoutError,
)


def mock(name, model="mock-normal"):
    return MockProvider(ProviderConfig(name=name, model=model))


class Scripted(BaseProvider):
    """Answers or fails as it is told."""

    def __init__(self, name, script):
        super().__init__(ProviderConfig(name=name))
        self.script = script
        self.calls = 0

    async def generate(self, prompt, params=None):
        self.calls += 1
        outcome = self.script(self.calls)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def health_check(self):
        return True


def routed(*members, **options):
    router = Router(**options)
    for member in members:
        router.add_provider(member)
    return router


def test_bad_use_is_refused():
    with pytest.raises(ValueError, match="Invalid strategy"):
        Router(strategy="best")
    with pytest.raises(ValueError, match="already exists"):
        routed(mock("a"), mock("a"))
    with pytest.raises(ProviderError, match="No providers registered"):
        asyncio.run(Router().route("x"))
    with pytest.raises(ProviderError, match="No providers registered"):
        Router().route_sync("x")


@pytest.mark.parametrize("strategy", ["round-robin", "random", "first-available", "best-available"])
def test_every_strategy_answers(emulator, strategy):
    router = routed(emulator.provider(), mock("own"), strategy=strategy)
    assert router.strategy == strategy
    for text in (asyncio.run(router.route("hello")), router.route_sync("hello")):
        assert "hello" in text


@pytest.mark.parametrize("blocking", [False, True])
def test_another_member_is_asked_when_one_fails(emulator, blocking):
    emulator.fault({"type": "status", "code": 500}, endpoint="chat", times=0)
    router = routed(emulator.provider(max_retries=3), mock("spare"))
    for _ in range(2):
        text = router.route_sync("x") if blocking else asyncio.run(router.route("x"))
        assert text == "Mock response to: x"
    assert emulator.counters()["chat_attempts"] <= 2, "a router's member does not repeat on its own"


def test_the_callers_errors_are_not_tried_elsewhere():  # O14
    spare = Scripted("spare", lambda call: "text")
    with pytest.raises(InvalidRequestError):
        asyncio.run(routed(mock("a", "mock-invalid-request"), spare).route("x"))
    assert spare.calls == 0


@pytest.mark.parametrize("blocking", [False, True])
def test_after_the_first_chunk_nobody_else_is_asked(blocking):  # O1
    class Breaking(Scripted):
        async def generate_stream(self, prompt, params=None):
            yield "A0 "
            yield "A1 "
            raise RuntimeError("broken")

    spare = Scripted("spare", lambda call: "B")
    router = routed(Breaking("a", None), spare)
    pieces = []

    async def read():
        async for piece in router.route_stream("x"):
            pieces.append(piece)

    with pytest.raises(RuntimeError, match="broken"):
        if blocking:
            for piece in router.route_stream_sync("x"):
                pieces.append(piece)
        else:
            asyncio.run(read())
    assert pieces == ["A0 ", "A1 "] and spare.calls == 0


@pytest.mark.parametrize("blocking", [False, True])
def test_before_the_first_chunk_another_member_is_asked(emulator, blocking):
    router = routed(mock("a", "mock-timeout"), emulator.provider())

    async def read():
        return [piece async for piece in router.route_stream("hello")]

    pieces = list(router.route_stream_sync("hello")) if blocking else asyncio.run(read())
    assert "hello" in "".join(pieces)
    assert router.metrics["gigachat"].successful_requests == 1
    assert router.metrics["gigachat"].total_completion_tokens > 0
    assert router.metrics["a"].failed_requests == 1


def test_a_routed_stream_is_an_object(emulator):
    emulator.fault({"type": "stall_after", "chunks": 1}, endpoint="stream")
    router = routed(emulator.provider())

    async def main():
        async with router.route_stream("hello") as stream:
            first = await stream.__anext__()
            assert stream.provider_name == "gigachat"
            return first

    assert asyncio.run(main())
    emulator.wait("cancelled_streams", at_least=1, seconds=2)


def test_an_overridden_method_is_called(emulator):
    from orchestrator.providers import GigaChatProvider

    class Shouting(GigaChatProvider):
        async def generate(self, prompt, params=None):
            return (await super().generate(prompt, params)).upper()

    router = routed(Shouting(emulator.config()))
    assert "HELLO" in asyncio.run(router.route("hello"))
    assert "HELLO" in router.route_sync("hello")


def test_a_patched_method_is_called(emulator, monkeypatch):
    provider = emulator.provider()

    async def patched(prompt, params=None):
        return "patched"

    monkeypatch.setattr(provider, "generate", patched)
    assert asyncio.run(routed(provider).route("x")) == "patched"


def test_members_are_asked_by_turns_under_concurrency():
    members = [Scripted(name, lambda call: "x") for name in "abc"]
    router = routed(*members)

    async def main():
        await asyncio.gather(*(router.route("x") for _ in range(99)))

    asyncio.run(main())
    assert [member.calls for member in members] == [33, 33, 33]


def test_a_member_that_recovers_is_asked_again():  # O7
    from orchestrator.metrics import ProviderMetrics

    old = ProviderMetrics()
    import datetime

    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=120)
    for _ in range(10):
        old.record_error(1.0, past)
    assert old.recent_error_rate == 0.0 and old.health_status == "healthy"


def test_an_untried_member_is_tried_by_best_available():  # O8
    members = [Scripted(name, lambda call: "x") for name in "ab"]
    router = routed(*members, strategy="best-available")

    async def main():
        for _ in range(4):
            await router.route("x")

    asyncio.run(main())
    assert min(member.calls for member in members) >= 1


def test_usage_is_what_the_service_counted(emulator):  # O13
    told = []

    async def note(usage):
        told.append(usage)
        raise ValueError("disturbs nobody")

    router = routed(emulator.provider(), usage_callback=note)
    router.set_price("GigaChat", 1000.0, 2000.0)
    asyncio.run(router.route("hello"))
    router.route_sync("hello")
    usage = told[0]
    assert isinstance(usage, UsageData) and len(told) == 2
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert usage.cost == usage.prompt_tokens + 2 * usage.completion_tokens
    assert (usage.provider_name, usage.success, usage.streaming, usage.error_type) == ("gigachat", True, False, None)
    metrics = router.get_metrics()["gigachat"]
    assert metrics.total_tokens == 2 * usage.total_tokens


def test_attempts_are_logged_with_the_ancestors_fields(caplog):
    router = routed(mock("bad", "mock-timeout"), Scripted("good", lambda call: "x"))
    with caplog.at_level(logging.INFO, logger="orchestrator.router"):
        asyncio.run(router.route("x"))
    failed = next(record for record in caplog.records if record.message == "llm_request_failed")
    completed = next(record for record in caplog.records if record.message == "llm_request_completed")
    assert (failed.provider, failed.error_type, failed.success) == ("bad", "TimeoutError", False)
    assert (completed.provider, completed.streaming, completed.success) == ("good", False, True)
    assert completed.latency_ms >= 0 and completed.cost_rub == 0


def test_members_are_replaced_while_it_runs():
    router = routed(Scripted("a", lambda call: "old"), Scripted("b", lambda call: "old"))

    async def main():
        await router.route("x")
        await router.update_providers([Scripted("b", lambda call: "new"), Scripted("c", lambda call: "new")],
                                      preserve_metrics=True)
        return {await router.route("x") for _ in range(4)}

    assert asyncio.run(main()) == {"new"}
    assert set(router.get_metrics()) == {"b", "c"} == {member.config.name for member in router.providers}
    with pytest.raises(ValueError, match="empty"):
        asyncio.run(router.update_providers([]))
    with pytest.raises(ValueError, match="Duplicate"):
        asyncio.run(router.update_providers([mock("x"), mock("x")]))


def test_the_last_error_is_raised_when_all_fail():
    router = routed(mock("a", "mock-timeout"), mock("b", "mock-timeout"))
    with pytest.raises(TimeoutError, match="Mock timeout"):
        asyncio.run(router.route("x"))


def test_a_deadline_bounds_a_programs_own_member():
    class Slow(Scripted):
        async def generate(self, prompt, params=None):
            await asyncio.sleep(30)

    router = routed(Slow("slow", None), Scripted("quick", lambda call: "x"), deadline=1.0)
    assert asyncio.run(asyncio.wait_for(router.route("x"), 5)) == "x"


def test_a_cooled_member_is_waited_for_within_its_retry_after():
    def script(call):
        if call == 1:
            error = RateLimitError("slow down")
            error.retry_after = 0.2
            return error
        return "x"

    router = routed(Scripted("only", script))
    assert asyncio.run(asyncio.wait_for(router.route("x"), 10)) == "x"
    assert routed(Scripted("only", script)).route_sync("x") == "x"


def test_a_cancelled_route_leaks_no_count(emulator):
    emulator.fault({"type": "delay_headers", "ms": 20_000}, endpoint="chat")
    router = routed(emulator.provider())

    async def main():
        task = asyncio.ensure_future(router.route("x"))
        await asyncio.to_thread(emulator.wait, "in_flight", 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    emulator.wait("cancelled_requests", at_least=1, seconds=2)
    assert router.metrics["gigachat"].in_flight == 0
    assert (router.metrics["gigachat"].cancelled_requests, router.metrics["gigachat"].total_requests) == (1, 0)


def test_metrics_are_served_on_this_machine_only_when_asked(emulator):
    import urllib.request

    router = routed(emulator.provider())

    async def main():
        await router.route("x")
        await router.start_metrics_server(port=0)
        with pytest.raises(RuntimeError, match="already running"):
            await router.start_metrics_server(port=0)
        host, port = router._server._server.sockets[0].getsockname()[:2]
        url = f"http://{host}:{port}/metrics"
        text = (await asyncio.to_thread(urllib.request.urlopen, url)).read().decode()
        await router.stop_metrics_server()
        await router.stop_metrics_server()
        return host, text

    host, text = asyncio.run(main())
    assert host == "127.0.0.1"
    assert 'provider="gigachat",status="success"} 1' in text
