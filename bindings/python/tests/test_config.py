"""`ProviderConfig` and `GenerationParams`: checked when assigned, used by the next call."""

import copy
import pickle
import socketserver
import threading
import urllib.parse

import pytest

from orchestrator.providers import (
    AuthenticationError,
    GenerationParams,
    GigaChatProvider,
    ProviderConfig,
    ServiceConnectionError,
)


def test_defaults_are_those_of_the_ancestor():
    config = ProviderConfig(name="x")
    dump = config.model_dump()
    expected = {
        "name": "x",
        "api_key": None,
        "base_url": None,
        "timeout": 30,
        "max_retries": 3,
        "verify_ssl": True,
        "model": None,
        "scope": None,
        "folder_id": None,
    }
    assert {name: dump[name] for name in expected} == expected
    params = GenerationParams()
    assert params.model_dump() == {"temperature": 0.7, "max_tokens": 1000, "top_p": 1.0, "stop": None}


@pytest.mark.parametrize(
    ("option", "given", "kept"),
    [
        ("timeout", 30.0, 30),
        ("timeout", "45", 45),
        ("timeout", 12.5, 12.5),
        ("max_retries", "2", 2),
        ("max_retries", 2.0, 2),
        ("verify_ssl", "false", False),
        ("api_key", "", ""),
        ("extra_headers", {"X-A": "b"}, {"X-A": "b"}),
        ("max_concurrency", 0, 0),
    ],
)
def test_a_good_value_is_kept_in_its_type(option, given, kept):
    config = ProviderConfig(name="x", **{option: given})
    assert getattr(config, option) == kept
    setattr(config, option, given)
    assert getattr(config, option) == kept


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("timeout", 0, "timeout: 0 .* from 0.001 to 3600 seconds"),
        ("timeout", 3601, "timeout: 3601 .* from 0.001 to 3600 seconds"),
        ("timeout", -3, "timeout: -3 .* seconds"),
        ("timeout", "soon", "timeout: 'soon'"),
        ("timeout", True, "timeout: True"),
        ("timeout", None, "timeout: None"),
        ("timeout", float("nan"), "timeout: nan"),
        ("max_retries", 11, "max_retries: 11 .* from 0 to 10"),
        ("max_retries", -1, "max_retries: -1"),
        ("max_retries", 1.5, "max_retries: 1.5"),
        ("scope", "GIGACHAT_API_B2_B", "scope: .*GIGACHAT_API_B2B"),
        ("base_url", "localhost", "base_url: "),
        ("api_key", 5, "api_key: a int"),
        ("verify_ssl", "perhaps", "verify_ssl: 'perhaps'"),
        ("name", "", "name: "),
        ("extra_headers", {"Authorization": "x"}, "extra_headers: .*authorization|Authorization"),
        ("proxy", "ftp://x", "proxy: "),
        ("tmeout", 5, "tmeout: no such option"),
    ],
)
def test_a_bad_value_is_a_value_error_that_names_field_value_and_range(option, value, says):
    with pytest.raises(ValueError, match=says):
        ProviderConfig(**{"name": "x", option: value})
    config = ProviderConfig(name="x")
    with pytest.raises(ValueError, match=says):
        setattr(config, option, value)
    assert config == ProviderConfig(name="x"), "a refused value changes nothing"


def test_a_secret_is_never_shown():
    secrets = {
        "api_key": "c2VjcmV0MQ==",
        "access_token": "c2VjcmV0Mg==",
        "password": "secret-3",
        "key_file_password": "secret-4",
        "proxy": "http://u:secret-5@localhost",
        "extra_headers": {"X-Key": "secret-6"},
    }
    text = repr(ProviderConfig(name="x", user="u", **secrets))
    assert "secret" not in text and "c2Vjcm" not in text
    with pytest.raises(ValueError) as caught:
        ProviderConfig(name="x", api_key="sec ret-key")
    assert "sec ret" not in str(caught.value)


def test_copies_compare_equal_and_travel():
    config = ProviderConfig(name="x", api_key="k", timeout=5, extra_headers={"X-A": "b"}, max_concurrency=3)
    for twin in (
        config.model_copy(),
        copy.copy(config),
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),
        ProviderConfig(**config.model_dump()),
        ProviderConfig.model_validate(config.model_dump(exclude_none=True)),
    ):
        assert twin == config and twin is not config
    assert config.model_copy(update={"timeout": 6}).timeout == 6
    assert config != ProviderConfig(name="x")
    with pytest.raises(ValueError):
        config.model_copy(update={"timeout": 0})
    with pytest.raises(TypeError):
        config.extra_headers["X-A"] = "unnoticed"


def test_the_next_call_uses_a_new_value(emulator):
    import json

    provider = emulator.provider()
    provider.generate_sync("one")
    provider.config.model = "GigaChat-2-Max"
    provider.generate_sync("two")
    provider.config = emulator.config(model="GigaChat-2-Pro")
    provider.generate_sync("three")
    sent = [json.loads(request["body"])["model"] for request in emulator.requests("/chat/completions")]
    assert sent == ["GigaChat", "GigaChat-2-Max", "GigaChat-2-Pro"]
    assert emulator.counters()["token_requests"] <= 1, "the same credential keeps its token"


def test_a_subclass_may_change_its_config_as_the_documentation_does(emulator, monkeypatch):
    base_url = emulator.variables["GIGACHAT_BASE_URL"]
    monkeypatch.delenv("GIGACHAT_BASE_URL")

    class Custom(GigaChatProvider):
        def __init__(self, config):
            super().__init__(config)
            if not self.config.base_url:
                self.config.base_url = base_url

    assert "hi" in Custom(emulator.config()).generate_sync("hi")


@pytest.mark.filterwarnings("ignore:GIGACHAT_E")
def test_options_come_from_the_environment_when_asked_for(monkeypatch):
    for name, value in {
        "GIGACHAT_CREDENTIALS": "a2V5",
        "GIGACHAT_TIMEOUT": "12.5",
        "GIGACHAT_VERIFY_SSL_CERTS": "False",
        "GIGACHAT_MODEL": "",
        "GIGACHAT_TYPO": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.warns(UserWarning, match="GIGACHAT_TYPO is ignored"):
        config = ProviderConfig.from_env(max_retries=1)
    assert (config.api_key, config.timeout, config.verify_ssl, config.model) == ("a2V5", 12.5, False, None)
    monkeypatch.setenv("GIGACHAT_TIMEOUT", "-3")
    with pytest.raises(ValueError, match="GIGACHAT_TIMEOUT: -3|GIGACHAT_TIMEOUT: '-3'"):
        ProviderConfig.from_env()


def test_every_option_of_the_core_is_an_option_here():
    from orchestrator._gigachat import options

    assert {name for name, _ in options()} == set(ProviderConfig._fields) - {"folder_id", "pickle_credentials"}


@pytest.mark.filterwarnings("ignore:GIGACHAT_E")
def test_a_variable_without_an_option_is_warned_of_with_the_reason_at_the_callers_line(monkeypatch):
    monkeypatch.setenv("GIGACHAT_RETRY_BACKOFF_FACTOR", "2")
    with pytest.warns(UserWarning, match="RETRY_BACKOFF_FACTOR is ignored: the backoff is fixed") as caught:
        ProviderConfig.from_env()
    assert {warning.filename for warning in caught} == {__file__}


PYDANTIC = """
import sys
{first}
from orchestrator.providers import GenerationParams, ProviderConfig
config = ProviderConfig(name="x")
def refused(ask, field):
    try:
        ask()
    except {error} as error:
        assert isinstance(error, ValueError) and type(error) is {error}, type(error)
        assert field in str(error) and "cmV0" not in str(error) + repr(error), error
    else:
        raise AssertionError(field)
refused(lambda: ProviderConfig(name=""), "name")
refused(lambda: ProviderConfig(name="x", timeout=0), "timeout: 0 is not accepted")
refused(lambda: setattr(config, "timeout", 0), "timeout: 0 is not accepted")
refused(lambda: ProviderConfig(name="x", api_key="c2Vj cmV0"), "api_key")
refused(lambda: ProviderConfig(name="x", tmeout=1), "tmeout: no such option")
refused(lambda: GenerationParams(top_p=2), "top_p: 2")
assert ("pydantic_core" in sys.modules) == bool({first!r})
"""


def test_a_refusal_is_pydantics_own_error_where_a_program_uses_pydantic(run_program):
    pytest.importorskip("pydantic_core")
    for first, error in (("from pydantic_core import ValidationError", "ValidationError"), ("", "ValueError")):
        done = run_program(PYDANTIC.format(first=first, error=error))
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_subclass_may_have_other_defaults(emulator, monkeypatch):
    base_url = emulator.variables["GIGACHAT_BASE_URL"]
    monkeypatch.delenv("GIGACHAT_BASE_URL")

    class Elsewhere(GigaChatProvider):
        DEFAULT_BASE_URL = base_url
        DEFAULT_MODEL = "GigaChat-2-Pro"

    assert "hi" in Elsewhere(emulator.config()).generate_sync("hi")
    assert b"GigaChat-2-Pro" in emulator.requests("/chat/completions")[-1]["body"].encode()


def test_only_three_variables_are_read_by_a_provider(emulator, monkeypatch):
    monkeypatch.setenv("GIGACHAT_MODEL", "no-such-model")
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", "d3Jvbmc=")
    assert "hi" in emulator.provider().generate_sync("hi")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", "hot"),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("top_p", 1.1),
        ("stop", "text"),
        ("stop", [""]),
        ("topp", 1),
    ],
)
def test_bad_parameters_are_value_errors(field, value):
    with pytest.raises(ValueError, match=field):
        GenerationParams(**{field: value})
    params = GenerationParams()
    with pytest.raises(ValueError, match=field):
        setattr(params, field, value)


def test_parameters_copy_and_compare():
    params = GenerationParams(temperature=0, stop=["a"])
    assert pickle.loads(pickle.dumps(params)) == params == params.model_copy()
    assert params != GenerationParams()
    params.temperature = "1.5"
    assert params.temperature == 1.5


def test_a_provider_pickles_with_its_config(emulator):
    provider = emulator.provider(model="GigaChat-2")
    provider.generate_sync("used")
    twin = pickle.loads(pickle.dumps(provider))
    assert twin.config == provider.config
    assert "hello" in twin.generate_sync("hello")


def test_user_and_password_are_enough(emulator):
    user, password = (emulator.variables[f"GIGACHAT_EMULATOR_{name}"] for name in ("USER", "PASSWORD"))
    config = ProviderConfig(name="x", user=user, password=password)
    assert "hello" in GigaChatProvider(config).generate_sync("hello")


def test_a_client_certificate_is_enough_and_no_token_is_asked_for(emulator):
    config = ProviderConfig(
        name="x",
        cert_file=emulator.variables["GIGACHAT_EMULATOR_CLIENT_CERT_FILE"],
        key_file=emulator.variables["GIGACHAT_EMULATOR_CLIENT_KEY_FILE"],
        base_url=emulator.variables["GIGACHAT_EMULATOR_MTLS_BASE_URL"],
    )
    with pytest.raises(AuthenticationError):  # the emulator takes the certificate, and wants a token too
        GigaChatProvider(config).generate_sync("hello")
    counters = emulator.counters()
    assert (counters["rejected_401"], counters["token_requests"], counters["tls_failures"]) == (1, 0, 0)


def test_no_credential_at_all_is_refused():
    with pytest.raises(ValueError, match="api_key"):
        GigaChatProvider(ProviderConfig(name="x"))


def test_the_user_agent_is_sent(emulator):
    emulator.provider(user_agent="a program/1.0").generate_sync("hello")
    assert {dict(request["headers"])["user-agent"] for request in emulator.requests()} == {"a program/1.0"}


class Refusing(socketserver.StreamRequestHandler):
    """A proxy that lets nobody through."""

    def handle(self):
        self.server.asked.add(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def test_the_proxy_is_asked_and_nothing_goes_another_way(emulator):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as proxy:
        proxy.asked = set()
        threading.Thread(target=proxy.serve_forever).start()
        provider = emulator.provider(proxy=f"http://127.0.0.1:{proxy.server_address[1]}", max_retries=0)
        with pytest.raises(ServiceConnectionError):
            provider.generate_sync("hello")
        proxy.shutdown()
    host = urllib.parse.urlsplit(emulator.variables["GIGACHAT_AUTH_URL"]).netloc
    assert proxy.asked == {f"CONNECT {host} HTTP/1.1"}
    assert not emulator.requests()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ('"aWQ6c2VjcmV0"', "quotes"),
        ("'aWQ6c2VjcmV0'", "quotes"),
        ("0e2a1f6c-0d3b-4c6e-9d53-3a1b2c3d4e5f:secret", "colon"),
        ("0e2a1f6c-0d3b-4c6e-9d53-3a1b2c3d4e5f", "UUID"),
        ("my_key", "no base64"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "access_token"),
    ],
)
def test_what_is_no_key_is_told_apart_before_anything_is_sent(emulator, key, says):
    with pytest.raises(ValueError, match=f"api_key: .*{says}") as caught:
        GigaChatProvider(emulator.config(api_key=key))
    assert key not in str(caught.value)
    assert emulator.counters()["token_requests"] == 0
    provider = emulator.provider()
    provider.config.api_key = key
    with pytest.raises(ValueError, match=says):
        provider.generate_sync("x")
