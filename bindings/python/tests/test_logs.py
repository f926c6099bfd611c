"""What reaches Python's `logging`: in which thread, with which fields."""

import asyncio
import logging
import threading
import time

import pytest

from orchestrator import GigaChatProvider, PermissionDeniedError, ProviderError, Router

LIBRARY = "orchestrator.providers"
PATIENCE = 5


def _record(caplog, text, more):
    """The record that says this; what is done while it is awaited fetches results, and records with them."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        found = [record for record in list(caplog.records) if text in record.getMessage()]
        if found:
            return found[0]
        more()
    raise AssertionError(f"no record says {text!r}: {caplog.text}")


@pytest.mark.parametrize("way", ["awaited", "blocking"])
def test_a_record_is_emitted_in_the_thread_that_fetches_results(emulator, caplog, way):
    emulator.fault({"type": "status", "code": 500}, endpoint="chat")
    provider = emulator.provider(name="logged", max_retries=2)
    found = []

    def ask():
        found.append(threading.get_ident())
        if way == "blocking":
            provider.generate_sync("x")
            found.append(_record(caplog, "sent again", provider.health_check_sync))
        else:
            asyncio.run(provider.generate("x"))
            found.append(_record(caplog, "sent again", lambda: asyncio.run(provider.health_check())))

    with caplog.at_level(logging.INFO, logger=LIBRARY):
        fetching = threading.Thread(target=ask, name="fetches results")
        fetching.start()
        fetching.join(4 * PATIENCE)
    thread, record = found
    assert (record.thread, record.threadName) == (thread, "fetches results")
    assert (record.name, record.levelname, record.part) == (f"{LIBRARY}.logged", "INFO", "gigachat::call")


def test_switching_verification_off_is_in_the_log_too(emulator, caplog):
    with caplog.at_level(logging.WARNING, logger=LIBRARY), pytest.warns(UserWarning) as warned:
        emulator.provider(name="open", verify_ssl=False)
    (record,) = caplog.records
    assert (record.name, record.levelname) == (f"{LIBRARY}.open", "WARNING")
    assert "TLS verification is off" in record.getMessage() == str(warned[0].message)


@pytest.mark.parametrize("way", ["route", "route_sync", "route_stream", "route_stream_sync"])
def test_an_attempt_is_logged_with_all_its_fields(emulator, caplog, way):
    router = Router()
    router.add_provider(emulator.provider(model="GigaChat-2-Pro"))
    router.set_price("GigaChat-2-Pro", 1000.0, 2000.0)

    async def read():
        return [piece async for piece in router.route_stream("hello")]

    with caplog.at_level(logging.INFO, logger="orchestrator.router"):
        match way:
            case "route":
                asyncio.run(router.route("hello"))
            case "route_sync":
                router.route_sync("hello")
            case "route_stream":
                asyncio.run(read())
            case "route_stream_sync":
                list(router.route_stream_sync("hello"))
    (record,) = [record for record in caplog.records if record.message == "llm_request_completed"]
    assert (record.provider, record.success, record.streaming) == ("gigachat", True, "stream" in way)
    assert record.model.startswith("GigaChat-2-Pro")
    assert record.prompt_tokens > 0 and record.completion_tokens > 0
    assert record.total_tokens == record.prompt_tokens + record.completion_tokens
    assert record.latency_ms > 0
    assert record.cost_rub == pytest.approx(record.prompt_tokens + 2 * record.completion_tokens)


def test_a_program_that_never_set_up_logging_is_told_nothing_on_standard_error(emulator, run_program):
    done = run_program("""
        import asyncio
        from orchestrator import GigaChatProvider, ProviderConfig, ProviderError, Router
        provider = GigaChatProvider(access_token="t", base_url="http://127.0.0.1:9", max_retries=0)
        for ask in (lambda: provider.generate_sync("x"), lambda: asyncio.run(provider.generate("x"))):
            try:
                ask()
            except ProviderError:
                print("failed")
        print(provider.health_check_sync())
        router = Router()
        router.add_provider(provider)
        try:
            router.route_sync("x")
        except ProviderError:
            print("failed")
    """)
    assert done.stdout.split() == ["failed", "failed", "False", "failed"]
    assert done.stderr == ""


def test_the_record_of_a_failed_health_check_has_the_error_itself(emulator, caplog):
    emulator.fault({"type": "status", "code": 403}, endpoint="models", times=2)
    provider = emulator.provider(max_retries=0)
    with caplog.at_level(logging.WARNING, logger=LIBRARY):
        assert provider.health_check_sync() is False
        assert asyncio.run(provider.health_check()) is False
    errors = [record.error for record in caplog.records if record.getMessage().startswith("Health check failed")]
    assert [(type(error), error.status_code) for error in errors] == [(PermissionDeniedError, 403)] * 2


def test_the_services_words_cannot_forge_a_line_of_the_log(emulator, caplog):
    class Forging(GigaChatProvider):
        def _core(self):
            raise ProviderError("x\r\nINFO admin logged in\x1b[31m")

    provider = Forging(emulator.config())
    with caplog.at_level(logging.WARNING, logger=LIBRARY):
        assert provider.health_check_sync() is False
        assert asyncio.run(provider.health_check()) is False
        router = Router()
        router.add_provider(provider)
        with pytest.raises(ProviderError):
            router.route_sync("x")
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) >= 3 and not [text for text in texts if "\n" in text or "\x1b" in text]
    assert r"x\r\nINFO admin" in texts[0]


def _told(done):
    return [line for line in done.stderr.splitlines() if "request" in line]


def test_with_debug_each_call_leaves_one_record_of_how_it_went(emulator, run_program):
    done = run_program("""
        import asyncio, logging
        from orchestrator import GigaChatProvider, ProviderConfig
        logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
        provider = GigaChatProvider(ProviderConfig.from_env(name="asked"))
        provider.generate_sync("before anybody listens")
        logging.getLogger("orchestrator.providers.asked").setLevel(logging.DEBUG)
        provider.generate_sync("x")
        print(asyncio.run(provider.generate("y")))
        assert list(provider.generate_stream_sync("z"))
    """)
    records = [line for line in _told(done) if "request answered" in line]
    assert len(records) == 3, done.stderr
    for record, streams in zip(records, ("false", "false", "true"), strict=True):
        assert record.startswith("DEBUG orchestrator.providers.asked request answered")
        fields = dict(field.split("=", 1) for field in record.split() if "=" in field)
        assert (fields["operation"], fields["stream"], fields["status"]) == ("chat", streams, "200")
        assert (fields["attempts"], fields["provider"]) == ("1", "asked")
        assert int(fields["prompt_tokens"]) > 0 and int(fields["completion_tokens"]) > 0
        assert int(fields["duration_ms"]) >= 0


def test_the_last_record_before_the_exit_is_not_lost(emulator, run_program):
    for _ in range(5):
        done = run_program("""
            import logging, os
            from orchestrator import GigaChatProvider, ProviderError
            logging.basicConfig(format="%(levelname)s %(message)s")
            provider = GigaChatProvider(access_token="t", base_url="http://127.0.0.1:9", max_retries=0)
            try:
                provider.generate_sync("x")
            except ProviderError:
                raise SystemExit(0)
        """)
        assert len([line for line in _told(done) if line.startswith("WARNING request failed")]) == 1, done.stderr
