"""Configuration and parameters inside of a program's pydantic models, FastAPI bodies and tools.

The package never imports pydantic itself: test_import.py and test_config.py see to that.
"""

import json

import pytest

from orchestrator.providers import GenerationParams, GigaChatProvider, ProviderConfig

pydantic = pytest.importorskip("pydantic")


class Settings(pydantic.BaseModel):
    provider: ProviderConfig
    params: GenerationParams = GenerationParams()


def test_they_are_fields_of_a_model():
    config = ProviderConfig(name="x", timeout=5)
    assert Settings(provider=config).provider is config
    made = Settings.model_validate({"provider": {"name": "x", "timeout": "5"}, "params": {"temperature": 0.1}})
    assert made.provider == config and made.params.temperature == 0.1
    again = Settings.model_validate_json(made.model_dump_json())
    assert again.provider == config and again.params == made.params
    assert made.model_dump(mode="json")["provider"]["timeout"] == 5
    assert made.model_copy(deep=True) == made


def test_what_is_wrong_is_told_with_its_place():
    with pytest.raises(pydantic.ValidationError) as caught:
        Settings.model_validate({"provider": {"name": "x", "timeout": 0}})
    text = str(caught.value)
    assert "provider" in text and "timeout: 0 is not accepted" in text
    with pytest.raises(pydantic.ValidationError, match="provider"):
        Settings.model_validate({"provider": 5})


def test_a_refused_value_shows_no_secret():
    with pytest.raises(pydantic.ValidationError) as caught:
        Settings.model_validate({"provider": {"name": "x", "api_key": "c2VjcmV0MQ==", "timeout": 0}})
    assert "c2Vjcm" not in str(caught.value)


def test_the_schema_names_the_fields():
    schema = Settings.model_json_schema()
    shown = json.dumps(schema)
    assert "temperature" in shown and "max_concurrency" in shown
    assert GenerationParams.model_json_schema()["properties"]["stop"]


def test_validate_call_takes_a_method_of_a_provider():
    @pydantic.validate_call
    def ask(prompt: str, params: GenerationParams) -> float:
        return params.temperature

    assert ask("x", {"temperature": 0.5}) == 0.5
    pydantic.validate_call(GigaChatProvider.generate_sync)
    pydantic.TypeAdapter(GigaChatProvider.chat)


def test_a_fastapi_body():
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    @app.post("/ask")
    def ask(prompt: str, params: GenerationParams, config: ProviderConfig) -> dict:
        return {"temperature": params.temperature, "name": config.name}

    paths = app.openapi()["paths"]
    assert "/ask" in paths
    testing = pytest.importorskip("fastapi.testclient")
    client = testing.TestClient(app)
    answer = client.post("/ask?prompt=x", json={"params": {"temperature": 0.5}, "config": {"name": "n"}})
    assert answer.json() == {"temperature": 0.5, "name": "n"}
    assert client.post("/ask?prompt=x", json={"params": {"temperature": 9}, "config": {"name": "n"}}).status_code == 422


def test_pydantics_own_method_forms():
    config = ProviderConfig(name="x", timeout=5, extra_headers={"X-A": "b"})
    params = GenerationParams(stop=["a"])
    assert config.dict() == config.model_dump() == dict(config)
    assert config.copy() == config.model_copy() == config and config.copy(update={"timeout": 6}).timeout == 6
    assert config.model_dump(exclude_unset=True) == {"name": "x", "timeout": 5, "extra_headers": {"X-A": "b"}}
    assert params.model_dump(mode="json") == {"temperature": 0.7, "max_tokens": 1000, "top_p": 1.0, "stop": ["a"]}
    assert json.loads(params.model_dump_json()) == params.model_dump(mode="json")
    assert json.loads(params.json(exclude_unset=True)) == {"stop": ["a"]}
    assert params.model_fields_set == {"stop"}
    assert list(GenerationParams.model_fields) == ["temperature", "max_tokens", "top_p", "stop"]
    assert GenerationParams.model_validate_json('{"temperature": 1}').temperature == 1
    assert GenerationParams.model_validate(params) == params
    assert GenerationParams.parse_obj({"top_p": 0.5}).top_p == 0.5
    assert params.model_dump(exclude_none=True, by_alias=True)["stop"] == ["a"]
    params.top_p = 0.5
    assert params.model_fields_set == {"stop", "top_p"}
    assert params.copy().model_fields_set == params.model_fields_set
