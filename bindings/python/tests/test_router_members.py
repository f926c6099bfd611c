"""What a router can do with its members: chat, chunks, functions, options, weights, routers in it; what members
written in Python keep: context, exception, cancel, time limits."""

import asyncio
import contextvars
import copy
import gc
import json
import pickle
import ssl
import threading
import time
import traceback

import pytest

from orchestrator import Router
from orchestrator.providers import (
    BaseProvider,
    Chunk,
    FunctionCall,
    GigaChatProvider,
    InvalidRequestError,
    MockProvider,
    NotFoundError,
    ProviderConfig,
    ProviderError,
    RateLimitError,
    Response,
    ServerError,
    ServiceConnectionError,
    TimeoutError,
    Usage,
)

BOUND = 10
WEATHER = [{"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
QUESTION = {"messages": [{"role": "user", "content": "Paris"}], "functions": WEATHER}


class Own(BaseProvider):
    """Answers with what its function returns, or raises what that raises."""

    def __init__(self, name="own", say=lambda: "own text", **options):
        super().__init__(ProviderConfig(name=name, **options))
        self.say = say
        self.calls = 0

    async def generate(self, prompt, params=None):
        self.calls += 1
        found = self.say()
        return await found if asyncio.iscoroutine(found) else found

    async def health_check(self):
        return True


class Chatting(Own):
    """Has words for whole requests."""

    async def chat(self, request, params=None):
        self.asked = request
        return Response("", "function_call", FunctionCall("weather", '{"city": "Paris"}', "state-9"), Usage(1, 2, 3))

    async def chat_stream(self, request, params=None):
        yield Chunk("It ")
        yield Chunk("rains.", raw_json='{"x": 1}')
        yield Chunk(finish_reason="length", usage=Usage(1, 2, 3))


def routed(*members, strategy="first-available", **options):
    router = Router(strategy, **options)
    for member in members:
        router.add_provider(member)
    return router


def failing(error, name="failing"):
    def fail():
        raise error

    return Own(name, fail)


def both(router, method, *arguments, **options):
    """The awaited call's result and its blocking twin's."""
    yield asyncio.run(asyncio.wait_for(getattr(router, method)(*arguments, **options), BOUND))
    yield getattr(router, f"{method}_sync")(*arguments, **options)


def all_of(router, method, *arguments, **options):
    """The same of a stream."""

    async def read():
        return [item async for item in getattr(router, method)(*arguments, **options)]

    yield asyncio.run(asyncio.wait_for(read(), BOUND))
    yield list(getattr(router, f"{method}_sync")(*arguments, **options))


# Chat.


def test_a_request_with_functions_goes_through_native_members(emulator):
    for answer in both(routed(emulator.provider()), "chat", QUESTION):
        assert (answer.finish_reason, answer.function_call.name) == ("function_call", "weather")
        assert answer.usage.total_tokens > 0 and answer.raw["choices"]


def test_a_request_with_functions_goes_through_a_programs_own_member(emulator):
    member = Chatting()
    for answer in both(routed(member, emulator.provider()), "chat", QUESTION):
        call = answer.function_call
        assert (call.name, call.arguments, call.state_id) == ("weather", {"city": "Paris"}, "state-9")
        assert (answer.finish_reason, answer.usage) == ("function_call", Usage(1, 2, 3))
        assert member.asked is QUESTION, "it is asked with what the program has written"


def test_chunks_of_native_members_and_of_a_programs_own(emulator):
    for chunks in all_of(routed(emulator.provider()), "chat_stream", "hello"):
        assert "hello" in "".join(chunk.text for chunk in chunks)
        assert chunks[-1].finish_reason == "stop" and chunks[-1].usage.total_tokens > 0
    for chunks in all_of(routed(Chatting()), "chat_stream", "hello"):
        assert [chunk.text for chunk in chunks] == ["It ", "rains.", ""]
        assert chunks[1].raw == {"x": 1}
        assert (chunks[-1].finish_reason, chunks[-1].usage) == ("length", Usage(1, 2, 3))


def test_a_member_that_only_generates_answers_requests_that_are_a_prompt(emulator):
    for answer in both(routed(Own()), "chat", [("user", "x")]):
        assert (answer.text, answer.finish_reason) == ("own text", "stop")
    for chunks in all_of(routed(Own()), "chat_stream", "x"):
        assert [(chunk.text, chunk.finish_reason) for chunk in chunks] == [("own text", None), ("", "stop")]


def test_a_request_that_a_member_cannot_answer_goes_to_the_next_and_harms_nobody(emulator):
    router = routed(Own(), emulator.provider())
    for answer in both(router, "chat", QUESTION):
        assert answer.function_call.name == "weather"
    metrics = router.metrics["own"]
    assert (metrics.failed_requests, metrics.health_status, metrics.recent_error_rate) == (2, "healthy", 0.0)
    with pytest.raises(NotFoundError, match="chat"):
        routed(Own()).chat_sync(QUESTION)


def test_one_call_may_set_what_a_providers_call_may(emulator):
    router = routed(emulator.provider())
    options = {"model": "GigaChat-2-Max", "session_id": 7, "request_id": "r-1", "temperature": 0.5}
    for method in ("route", "chat", "generate"):
        for _ in both(router, method, "x", extra_headers={"X-Own": "1"}, **options):
            sent = emulator.requests("/chat/completions")[-1]
            headers, body = dict(sent["headers"]), json.loads(sent["body"])
            assert (headers["x-session-id"], headers["x-own"]) == ("7", "1")
            assert (body["model"], body["temperature"]) == ("GigaChat-2-Max", 0.5)
    with pytest.raises(TypeError, match="temprature"):
        router.route_sync("x", temprature=1)


def test_a_programs_own_member_is_given_the_options_that_it_takes():
    seen = []

    class Picky(Own):
        async def generate(self, prompt, params=None, *, model=None):
            seen.append((prompt, params, model))
            return "x"

    for _ in both(routed(Picky()), "route", "x", {"top_p": 0.5}, model="m", session_id="s"):
        prompt, params, model = seen.pop()
        assert (prompt, params.top_p, model) == ("x", 0.5, "m")


def test_health_and_models_of_a_router_are_those_of_its_members(emulator):
    router = routed(Own(), emulator.provider())
    assert [len(models) > 0 for models in both(router, "list_models")] == [True, True]
    assert list(both(router, "health_check")) == [True, True]
    sick = MockProvider(ProviderConfig(name="sick", model="mock-unhealthy"))
    assert list(both(routed(sick), "health_check")) == [False, False]


# Members.


def test_routers_lie_in_each_other(emulator):
    inner = routed(Own("a", lambda: "from a"), emulator.provider(), name="inner", strategy="round-robin")
    outer = routed(failing(RuntimeError("no")), inner)
    told = {text.split(" ", 1)[0] for text in (*both(outer, "route", "hello"), *both(outer, "route", "hello"))}
    assert "from" in told and len(told) == 2, "both members of the inner one have answered"
    assert outer.metrics["inner"].successful_requests == 4
    assert inner.metrics["a"].successful_requests + inner.metrics["gigachat"].successful_requests == 4
    for pieces in all_of(outer, "route_stream", "hello"):
        assert pieces


def test_an_inner_routers_error_is_its_members_own_with_all_attempts():
    error = RateLimitError("slow down")
    inner = routed(failing(ServerError("first"), "a"), failing(error, "b"), name="inner", max_cooldown_wait=0)
    outer = routed(inner, max_cooldown_wait=0)
    with pytest.raises(RateLimitError) as caught:
        outer.route_sync("x")
    assert caught.value is error and error.retry_after > 0
    assert [(one["member"], one["kind"]) for one in error.route_attempts] == [
        ("inner/a", "server"),
        ("inner/b", "rate_limit"),
    ]


def test_a_circle_and_a_nesting_that_is_too_deep_are_refused():
    router = Router()
    with pytest.raises(ValueError, match="lead back"):
        router.add_provider(router)
    outer = router
    for depth in range(15):
        inner = outer
        outer = Router(name=f"r{depth}")
        outer.add_provider(inner)
    with pytest.raises(ValueError, match="16"):
        routed(outer)
    with pytest.raises(ValueError, match="lead back"):
        router.add_provider(outer)
    assert router.providers == [] and router.metrics == {}


def test_weights_say_who_gets_how_many():
    one, three = Own("one"), Own("three")
    router = Router()
    router.add_provider(one)
    router.add_provider(three, weight=3)
    for _ in range(40):
        router.route_sync("x")
    assert (one.calls, three.calls) == (10, 30)
    for weight in (0, 1001, 1.5, "x"):
        with pytest.raises(ValueError, match="weight"):
            router.add_provider(Own("bad"), weight=weight)


def test_a_member_leaves():
    one, two = Own("one"), Own("two")
    router = routed(one, two)
    router.remove_provider("one")
    assert [member.config.name for member in router.providers] == ["two"] == list(router.metrics)
    router.route_sync("x")
    assert (one.calls, two.calls) == (0, 1)
    with pytest.raises(ValueError, match="one"):
        router.remove_provider("one")


def test_every_setting_is_checked_by_the_core():
    Router(
        "best-available", deadline=5, name="r", member_retries=True, fallback_after_read_timeout=False,
        max_cooldown_wait=0, cooldown=0.5, longest_cooldown=2, ramp=0, failures_to_cool=1, seed=7,
    )  # fmt: skip
    bad = {
        "deadline": 0, "name": "", "max_cooldown_wait": 3601, "cooldown": 0, "longest_cooldown": 3601, "ramp": -1,
        "failures_to_cool": 0, "seed": -1,
    }  # fmt: skip
    for name, value in bad.items():
        with pytest.raises(ValueError, match=name.replace("_", ".")):
            Router(**{name: value})


def test_a_setting_holds(emulator):
    emulator.fault({"type": "status", "code": 500}, endpoint="chat", times=2)
    router = routed(emulator.provider(max_retries=2), member_retries=True)
    assert "hello" in router.route_sync("hello")
    assert emulator.counters()["chat_attempts"] == 3, "the member has repeated it itself"
    failing_one = failing(ServerError("x"))
    router = routed(failing_one, Own(), failures_to_cool=1)
    router.route_sync("x"), router.route_sync("x")
    assert failing_one.calls == 1, "one failure cools it"


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda router: pickle.loads(pickle.dumps(router))])
def test_a_router_of_routers_travels_with_weights_and_settings(emulator, travel):
    inner = Router(name="inner")
    inner.add_provider(MockProvider(ProviderConfig(name="mock")), weight=7)
    inner.add_provider(emulator.provider(), weight=2)
    outer = Router(deadline=9, name="outer", failures_to_cool=5)
    outer.add_provider(inner, weight=3)
    twin = travel(outer)
    assert twin._settings == outer._settings and twin.config.name == "outer"
    assert {name: seat.weight for name, seat in twin._route.seats.items()} == {"inner": 3}
    within = twin.providers[0]
    assert {name: seat.weight for name, seat in within._route.seats.items()} == {"mock": 7, "gigachat": 2}
    assert twin.route_sync("hello")
    assert (twin.metrics["inner"].total_requests, outer.metrics["inner"].total_requests) == (1, 0)


def test_a_router_that_nobody_uses_any_more_is_gone(emulator):
    import weakref

    router = routed(Own(), emulator.provider())
    for _ in both(router, "route", "x"):
        pass
    for _ in all_of(router, "route_stream", "x"):
        pass
    gone = weakref.ref(router)
    del router
    gc.collect()
    assert gone() is None


# What members written in Python keep.

WHO = contextvars.ContextVar("who", default="nobody")


@pytest.mark.parametrize("way", ["route", "route_sync", "route_stream", "route_stream_sync", "chat", "health_check"])
def test_a_member_runs_in_its_callers_context(way):
    seen = []

    class Seeing(Own):
        async def generate(self, prompt, params=None):
            seen.append(WHO.get())
            return "x"

        async def health_check(self):
            seen.append(WHO.get())
            return True

    router = routed(Seeing())

    async def ask():
        WHO.set("caller")
        if way == "route_stream":
            return [piece async for piece in router.route_stream("x")]
        return await getattr(router, way)(*([] if way == "health_check" else ["x"]))

    def ask_blocking():
        WHO.set("caller")
        return list(router.route_stream_sync("x")) if "stream" in way else router.route_sync("x")

    if way.endswith("_sync"):
        contextvars.copy_context().run(ask_blocking)
    else:
        asyncio.run(ask())
    assert seen == ["caller"] and WHO.get() == "nobody"


@pytest.mark.parametrize("way", ["route", "route_sync", "chat", "chat_sync", "route_stream", "route_stream_sync"])
def test_what_a_member_raises_is_raised_itself_with_traceback_and_cause(way):
    cause = KeyError("cause")
    error = ValueError("own")

    def the_place_where_it_happened():
        raise error from cause

    router = routed(Own(say=the_place_where_it_happened))
    stream = all_of(router, way.removesuffix("_sync"), "x") if "stream" in way else None
    with pytest.raises(ValueError) as caught:
        if stream is not None and way.endswith("_sync"):
            list(router.route_stream_sync("x"))
        elif stream is not None:
            next(stream)
        elif way.endswith("_sync"):
            getattr(router, way)("x")
        else:
            asyncio.run(getattr(router, way)("x"))
    assert caught.value is error and error.__cause__ is cause
    assert "the_place_where_it_happened" in "".join(traceback.format_tb(error.__traceback__))


def test_cancelling_the_task_cancels_the_member_and_waits_until_it_has_cleaned_up():
    done = []

    async def slow():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            done.append("cleaned up")

    member = Own(say=slow)
    router = routed(member, Own("spare"))

    async def main():
        task = asyncio.ensure_future(router.route("x"))
        while not member.calls:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == ["cleaned up"]

    asyncio.run(main())
    metrics = router.metrics["own"]
    assert (metrics.total_requests, metrics.cancelled_requests, metrics.in_flight) == (0, 1, 0)
    assert router.providers[1].calls == 0


def test_a_cancel_of_the_members_own_ends_the_call_and_is_not_its_failure():
    async def give_up():
        raise asyncio.CancelledError

    router = routed(Own(say=give_up), Own("spare"))

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await router.route("x")

    asyncio.run(main())
    assert router.metrics["own"].health_status == "healthy" and router.metrics["own"].recent_error_rate == 0.0
    assert router.providers[1].calls == 0


def test_an_exit_in_a_member_is_the_callers():
    def leave():
        raise SystemExit(3)

    for _ in range(2):  # the private loop is still there
        with pytest.raises(SystemExit):
            routed(Own(say=leave), Own("spare")).route_sync("x")


def test_the_calls_timeout_holds_for_a_member_and_cancels_it():
    ended = threading.Event()

    async def slow():
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    router = routed(Own(say=slow))
    for ask in (router.route_sync, router.chat_sync):
        ended.clear()
        with pytest.raises(TimeoutError, match="no answer from own within 0.1 s"):
            ask("x", timeout=0.1)
        assert ended.wait(BOUND)
    with pytest.raises(TimeoutError, match="deadline"):
        router.route_sync("x", deadline=0.1)


def test_the_timeout_bounds_the_silence_of_a_members_stream():
    class Stalling(Own):
        async def generate_stream(self, prompt, params=None):
            yield "first"
            await asyncio.sleep(60)

    stream = routed(Stalling()).route_stream_sync("x", timeout=0.1)
    assert next(stream) == "first"
    with pytest.raises(TimeoutError) as caught:
        next(stream)
    assert caught.value.phase == "idle" and caught.value.partial_text == "first"


def test_a_members_stream_goes_on_when_its_reader_does():
    made = []

    class Counting(Own):
        async def generate_stream(self, prompt, params=None):
            for number in range(100):
                made.append(number)
                yield str(number)

    with routed(Counting()).route_stream_sync("x") as stream:
        assert next(stream) == "0"
        time.sleep(0.05)
        assert len(made) <= 2
        assert [next(stream) for _ in range(98)][-1] == "98"


# Kinds.


def test_an_error_keeps_its_kind():
    with pytest.raises(ServiceConnectionError) as caught:
        GigaChatProvider(access_token="t", base_url="http://127.0.0.1:9", max_retries=0).generate_sync("x")
    assert caught.value.kind == "connection"
    for error, kind in [
        (ssl.SSLError("x"), "tls"),
        (caught.value, "connection"),
        (ConnectionResetError("x"), "connection"),
        (asyncio.TimeoutError(), "timeout"),
        (ServerError("x"), "server"),
        (ProviderError("x"), "internal"),
        (RuntimeError("x"), "internal"),
    ]:
        router = routed(failing(error))
        with pytest.raises(type(error)) as raised:
            router.route_sync("x")
        assert raised.value is error
        assert f'status="{kind}"' in router.prometheus(), (error, kind)


def test_tls_stays_tls_on_every_way(run_program):
    done = run_program("""
        import os
        from orchestrator import GigaChatProvider, ProviderError, Router
        from orchestrator.providers import BaseProvider, ProviderConfig
        os.environ.pop("GIGACHAT_CA_BUNDLE_FILE")
        native = GigaChatProvider(access_token="t", max_retries=0, name="native")
        class Wrapping(BaseProvider):
            async def generate(self, prompt, params=None):
                return await native.generate(prompt, params)
            async def health_check(self):
                return True
        for member in (native, Wrapping(ProviderConfig(name="wrapping"))):
            router = Router()
            router.add_provider(member)
            try:
                router.route_sync("x")
            except ProviderError as error:
                print(error.kind, error.route_attempts[0]["kind"], 'status="tls"' in router.prometheus())
    """)
    assert done.stdout.split() == ["tls", "tls", "True"] * 2, done.stderr


def test_the_callers_errors_end_the_route():
    spare = Own("spare")
    with pytest.raises(InvalidRequestError):
        routed(failing(InvalidRequestError("x")), spare).chat_sync("x")
    assert spare.calls == 0


def test_a_usage_callback_is_awaited_before_the_next_member_is_asked():
    seen = []

    async def note(usage):
        await asyncio.sleep(0.01)
        seen.append((usage.provider_name, usage.error_type))

    def say():
        seen.append("asked")
        return "x"

    router = routed(failing(ValueError("x")), Own(say=say), usage_callback=note)
    for _ in both(router, "route", "x"):
        assert seen == [("failing", "ValueError"), "asked", ("own", None)]
        seen.clear()


def test_many_loops_and_threads_share_a_router():
    router = routed(Own("a", lambda: asyncio.sleep(0.001, "x")), Own("b"), strategy="round-robin")

    async def many():
        return await asyncio.gather(*(router.route("x") for _ in range(20)))

    def work():
        results.extend(asyncio.run(many()))
        results.append(router.route_sync("x"))

    results = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND)
    assert len(results) == 84
    assert sum(metrics.in_flight for metrics in router.metrics.values()) == 0
