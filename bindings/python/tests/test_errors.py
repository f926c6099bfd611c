"""Exceptions: what catches what, what they carry, that they travel."""

import builtins
import pickle

import pytest

from orchestrator.providers import base

CLASSES = [name for name in base.__all__ if name.endswith("Error")]


@pytest.mark.parametrize("name", CLASSES)
def test_programs_raise_them_with_one_message(name):
    cls = getattr(base, name)
    error = cls("what happened")
    assert isinstance(error, base.ProviderError)
    assert str(error) == "what happened" and error.args == ("what happened",)
    assert (error.status_code, error.code, error.request_id, error.retry_after) == (None,) * 4
    assert error.retryable is False and error.attempts == 0
    error.status_code = 418
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error) and twin.args == error.args and twin.status_code == 418
    assert cls.__module__ == "orchestrator.providers.base"


def test_old_clauses_keep_catching():
    assert issubclass(base.NotFoundError, base.InvalidRequestError)
    assert issubclass(base.PayloadTooLargeError, base.InvalidRequestError)
    assert issubclass(base.TimeoutError, builtins.TimeoutError)
    assert issubclass(base.ServiceConnectionError, builtins.ConnectionError)
    assert issubclass(base.ConfigurationError, ValueError)


def test_a_timeout_is_asyncios_too_once_asyncio_is_there():
    import asyncio

    with pytest.raises(asyncio.TimeoutError) as caught:
        raise base.TimeoutError("late")
    assert type(caught.value).__name__ == "TimeoutError"
    with pytest.raises(asyncio.TimeoutError):
        raise base.TimeoutError


def test_what_a_real_one_carries_survives_pickling(emulator):
    emulator.fault({"type": "status", "code": 429, "headers": {"Retry-After": "7"}}, endpoint="chat")
    with pytest.raises(base.RateLimitError) as caught:
        emulator.provider(max_retries=0).generate_sync("x")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.status_code, error.retry_after, error.attempts, error.retryable) == (429, 7.0, 1, True)
    assert error.phase == "answer" and error.body and error.request_id


def test_the_services_own_code_survives_pickling(emulator):
    with pytest.raises(base.AuthenticationError) as caught:
        emulator.provider(api_key="d3Jvbmc6a2V5").generate_sync("x")
    assert isinstance(caught.value.code, int)
    assert pickle.loads(pickle.dumps(caught.value)).code == caught.value.code


def test_what_had_arrived_of_a_broken_stream_survives_pickling(emulator):
    emulator.fault("omit_done", endpoint="stream", times=0)
    pieces = []
    with pytest.raises(base.IncompleteStreamError) as caught:
        pieces.extend(emulator.provider(max_retries=0).generate_stream_sync("hello"))
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is base.IncompleteStreamError
    assert error.partial_text == caught.value.partial_text and "hello" in error.partial_text
