"""How a provider is made: one keyword is enough, and what is wrong is said in words that help."""

import pytest

import orchestrator
from orchestrator.providers import GigaChatProvider, MockProvider, ProviderConfig


def test_one_keyword_is_enough(emulator):
    provider = orchestrator.GigaChatProvider(api_key=emulator.key)
    assert provider.config.name == "gigachat"
    assert "hi" in provider.generate_sync("hi")
    assert GigaChatProvider(name="other", api_key=emulator.key, timeout=5).config.timeout == 5


def test_keywords_change_a_configuration_that_is_given_too(emulator):
    config = emulator.config()
    provider = GigaChatProvider(config, model="GigaChat-2-Pro")
    assert (provider.config.model, config.model) == ("GigaChat-2-Pro", None)


def test_a_config_without_a_name_is_that_of_gigachat(emulator):
    assert ProviderConfig(api_key=emulator.key).name == "gigachat"


@pytest.mark.parametrize("cls", [GigaChatProvider, MockProvider])
@pytest.mark.parametrize("given", ["a key", {"name": "x"}, 5, b"k"])
def test_what_is_no_configuration_is_told_apart(cls, given):
    with pytest.raises(TypeError, match="config: .*ProviderConfig") as caught:
        cls(given)
    assert "a key" not in str(caught.value)


def test_the_mapping_of_a_config_is_named(emulator):
    with pytest.raises(TypeError, match=r"GigaChatProvider\(api_key="):
        GigaChatProvider(emulator.key)


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("api_kye", "api_key"), ("apikey", "api_key"), ("tmeout", "timeout"), ("max_retry", "max_retries"),
     ("concurrency", "max_concurrency"), ("verify", "verify_ssl"), ("base_ulr", "base_url")],
)  # fmt: skip
def test_a_typo_is_answered_with_what_was_meant(typo, meant):
    with pytest.raises(ValueError, match=f"{typo}: no such option.*; did you mean {meant}\\?"):
        ProviderConfig(**{typo: 1})
    with pytest.raises(ValueError, match=f"did you mean {meant}"):
        GigaChatProvider(**{typo: 1})


def test_a_word_unlike_any_option_is_answered_with_where_they_are_listed():
    with pytest.raises(ValueError, match="zzzzzz: no such option") as caught:
        ProviderConfig(zzzzzz=1)
    assert "did you mean" not in str(caught.value) and "api_key" in str(caught.value)


@pytest.mark.parametrize(
    ("theirs", "ours", "value"),
    [
        ("credentials", "api_key", "a2V5Og=="),
        ("verify_ssl_certs", "verify_ssl", False),
        ("max_connections", "max_concurrency", 3),
    ],
)
def test_the_official_sdks_names_are_understood(theirs, ours, value):
    config = ProviderConfig(**{theirs: value})
    assert getattr(config, ours) == value
    with pytest.raises(ValueError, match=f"{theirs}.*{ours}"):
        ProviderConfig(**{theirs: value, ours: value})


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ssl_context", "ca_bundle_file"),
        ("retry_backoff_factor", "backoff is fixed"),
        ("retry_on_status_codes", "retried are 429"),
    ],
)
def test_what_the_official_sdk_has_and_this_has_not_says_what_to_do(name, says):
    with pytest.raises(ValueError, match=f"{name}: .*{says}"):
        ProviderConfig(**{name: 1})


@pytest.mark.parametrize("headers", ["x", [("a", "b")], 5])
def test_headers_that_are_no_mapping_are_named(headers):
    with pytest.raises(ValueError, match="extra_headers: .*mapping"):
        ProviderConfig(extra_headers=headers)


def test_one_range_of_time_limits(emulator):
    assert ProviderConfig(timeout=0.5).timeout == 0.5
    assert ProviderConfig(timeout=600).timeout == 600
    for limit in (0, 3601):
        with pytest.raises(ValueError, match="timeout: .*from 0.001 to 3600 seconds"):
            ProviderConfig(timeout=limit)


def test_what_the_environment_says_is_what_the_core_takes(monkeypatch):
    monkeypatch.setenv("GIGACHAT_TIMEOUT", "600")
    assert ProviderConfig.from_env().timeout == 600
