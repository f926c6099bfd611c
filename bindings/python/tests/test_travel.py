"""What leaves a process or comes back to it: routers, errors, keys."""

import copy
import pickle

import pytest

from orchestrator import Router
from orchestrator.providers import (
    GigaChatProvider,
    IncompleteStreamError,
    MockProvider,
    NotFoundError,
    ProviderConfig,
    ProviderError,
    TimeoutError,
)


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda router: pickle.loads(pickle.dumps(router))])
def test_a_router_copies_and_pickles_with_its_members_and_prices(emulator, travel):
    router = Router("first-available", tenant_id="t", deadline=7)
    router.add_provider(emulator.provider(name="one"))
    router.add_provider(MockProvider(ProviderConfig(name="two", model="mock-normal")))
    router.set_price("GigaChat", 1.0, 2.0)
    twin = travel(router)
    assert [member.config.name for member in twin.providers] == ["one", "two"]
    assert (twin.strategy, twin.tenant_id) == ("first-available", "t")
    assert "hello" in twin.route_sync("hello")
    assert twin.metrics["one"].total_cost > 0
    assert twin.metrics["one"].total_requests == 1 and router.metrics["one"].total_requests == 0
    twin.add_provider(MockProvider(ProviderConfig(name="three")))
    assert len(router.providers) == 2


def test_a_router_shows_what_it_is(emulator):
    router = Router("random")
    router.add_provider(MockProvider(ProviderConfig(name="two")))
    assert repr(router) == "Router(strategy='random', providers=['two'])"


class OfAnEngine(Exception):
    """What Ray raises: an error of both classes that asks its cause for what it does not have."""


def _dual(cause):
    class Dual(OfAnEngine, type(cause)):
        def __init__(self, cause):
            self.cause = cause

        def __getattr__(self, name):
            return getattr(self.cause, name)

    return Dual(cause)


def test_an_engine_that_wraps_an_error_hides_nothing_of_it(emulator):
    with pytest.raises(NotFoundError) as caught:
        emulator.provider().generate_sync("x", model="no-such-model")
    cause = caught.value
    with pytest.raises(NotFoundError) as caught:
        raise _dual(cause)
    for name in ("status_code", "code", "request_id", "retryable", "attempts", "phase", "body"):
        assert getattr(caught.value, name) == getattr(cause, name), name
    assert caught.value.status_code == 404 and caught.value.body


def test_an_error_of_a_program_has_every_attribute():
    class Own(TimeoutError):
        def __init__(self):  # does not call ours
            pass

    for error in (ProviderError("x"), Own()):
        assert (error.status_code, error.attempts, error.retryable, error.body) == (None, 0, False, b"")
        with pytest.raises(AttributeError, match="nothing"):
            error.nothing
    assert IncompleteStreamError("x").partial_text == ""
    assert not hasattr(ProviderError("x"), "partial_text")


SECRET = "c2VjcmV0OmtleQ=="


def test_a_pickle_without_its_key_asks_the_environment_of_the_worker(monkeypatch):
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", SECRET)
    config = ProviderConfig.from_env(timeout=5, pickle_credentials=False)
    provider = GigaChatProvider(config)
    for what in (config, provider):
        packed = pickle.dumps(what)
        assert SECRET.encode() not in packed
        monkeypatch.setenv("GIGACHAT_CREDENTIALS", "b3RoZXI6a2V5")
        twin = pickle.loads(packed)
        twin = getattr(twin, "config", twin)
        assert (twin.api_key, twin.timeout, twin.pickle_credentials) == ("b3RoZXI6a2V5", 5, False)
        monkeypatch.setenv("GIGACHAT_CREDENTIALS", SECRET)


def test_a_worker_without_a_key_in_its_environment_is_told_so(monkeypatch):
    packed = pickle.dumps(GigaChatProvider(api_key=SECRET, pickle_credentials=False))
    monkeypatch.delenv("GIGACHAT_CREDENTIALS", raising=False)
    twin = pickle.loads(packed)
    with pytest.raises(ValueError, match="GIGACHAT_CREDENTIALS"):
        twin.generate_sync("x")


def test_the_other_secrets_stay_too():
    config = ProviderConfig(
        access_token="SECRET-1", user="u", password="SECRET-2", proxy="http://u:SECRET-3@localhost",
        extra_headers={"X-A": "SECRET-4"}, pickle_credentials=False,
    )  # fmt: skip
    packed = pickle.dumps(config)
    assert b"SECRET" not in packed
    assert b"SECRET" not in pickle.dumps(copy.deepcopy(config))
    assert copy.deepcopy(config).access_token == "SECRET-1", "a copy stays in the process"
