"""Annotations resolve at run time, as tools that make forms, routes and functions of them ask for."""

import importlib
import inspect
import subprocess
import sys
import typing

import pytest

from orchestrator import Router
from orchestrator.providers import GenerationParams, GigaChatProvider, ProviderConfig

MODULES = [
    "orchestrator",
    "orchestrator.batch",
    "orchestrator.batch._result",
    "orchestrator.config",
    "orchestrator.metrics",
    "orchestrator.providers",
    "orchestrator.providers.base",
    "orchestrator.providers.gigachat",
    "orchestrator.providers.mock",
    "orchestrator.router",
    "orchestrator._routed",
    "orchestrator._streams",
    "orchestrator._usage",
]


def _functions(cls):
    for owner in cls.__mro__:
        if owner.__module__.startswith("orchestrator"):
            for name, value in vars(owner).items():
                made_by_a_router = name == "__init__" and owner.__module__ == "orchestrator._routed"
                if made_by_a_router or (name[0] == "_" and name not in ("__init__", "__aenter__", "__iter__")):
                    continue
                value = getattr(value, "__func__", getattr(value, "fget", value))
                if inspect.isfunction(value):
                    yield f"{owner.__qualname__}.{name}", value


def _public(module):
    module = importlib.import_module(module)
    names = getattr(module, "__all__", None) or [name for name in vars(module) if name[0] != "_"]
    found = (getattr(module, name) for name in names if name != "MultiLLMOrchestrator")
    own = module.__name__ if module.__name__.rpartition(".")[2][0] == "_" else "orchestrator"
    return [value for value in found if getattr(value, "__module__", "").startswith(own)]


@pytest.mark.parametrize("module", MODULES)
def test_every_annotation_resolves(module):
    looked_at = 0
    for value in _public(module):
        if inspect.isclass(value):
            typing.get_type_hints(value)
            functions = list(_functions(value))
        else:
            functions = [(repr(value), value)] if inspect.isfunction(value) else []
        for name, function in functions:
            try:
                typing.get_type_hints(function)
                inspect.signature(function, eval_str=True)
            except NameError as error:
                raise AssertionError(f"{name}: {error}") from None
            looked_at += 1
    assert looked_at or module in ("orchestrator.metrics",)


def test_what_they_resolve_to():
    hints = typing.get_type_hints(GigaChatProvider.generate)
    assert hints["return"] is str and hints["prompt"] is str
    assert GenerationParams in typing.get_args(hints["params"])
    assert typing.get_type_hints(ProviderConfig)["api_key"] == typing.Optional[str]
    assert typing.get_type_hints(Router.route)["return"] is str
    assert typing.get_type_hints(Router.add_provider)["provider"].__name__ == "BaseProvider"
    scope = inspect.signature(ProviderConfig, eval_str=True).parameters["scope"].annotation
    assert "GIGACHAT_API_CORP" in str(scope)


def test_resolving_is_what_loads_typing_and_nothing_before():
    source = """
import sys
from orchestrator.providers import GigaChatProvider
assert "typing" not in sys.modules
import typing
print(typing.get_type_hints(GigaChatProvider.chat)["return"].__name__)
"""
    done = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "Response", done.stderr
