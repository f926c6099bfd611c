"""The public surface as a whole: all of it is documented, coroutines have blocking twins, nothing else is needed."""

import importlib
import importlib.metadata
import inspect

import pytest

from orchestrator import Router
from orchestrator.providers import GigaChatProvider

MODULES = [
    "orchestrator",
    "orchestrator.batch",
    "orchestrator.config",
    "orchestrator.metrics",
    "orchestrator.providers",
    "orchestrator.providers.base",
    "orchestrator.providers.gigachat",
    "orchestrator.providers.mock",
    "orchestrator.router",
]
WITH_LANGCHAIN = "orchestrator.langchain"
RETURNED = {
    "orchestrator._streams": ["BlockingChunkStream", "BlockingTextStream", "ChunkStream", "TextStream"],
    "orchestrator._routed": [
        "BlockingRoutedChunkStream",
        "BlockingRoutedStream",
        "RoutedChunkStream",
        "RoutedStream",
    ],
    "orchestrator._gigachat": ["Chunk", "FunctionCall", "Model", "Response", "Timings", "Usage"],
}
"""Classes that calls return, whose modules are private."""


def _undocumented(cls):
    """The class and its public attributes, as far as they are this package's and have no docstring."""
    if not vars(cls).get("__doc__"):
        yield cls.__qualname__
    for owner in cls.__mro__:
        if not owner.__module__.startswith("orchestrator"):
            continue
        for name, value in vars(owner).items():
            describes = callable(value) or inspect.isdatadescriptor(value) or isinstance(value, (classmethod, staticmethod))
            if not name.startswith("_") and describes and not _documentation(owner, name):
                yield f"{owner.__qualname__}.{name}"


def _documentation(owner, name):
    slots = vars(owner).get("__slots__", {})
    return slots.get(name) if isinstance(slots, dict) and name in slots else getattr(owner, name).__doc__


def test_the_check_finds_what_has_no_docstring():
    class Bare:
        __module__ = "orchestrator.somewhere"

        def method(self): ...

        @property
        def attribute(self): ...

        @classmethod
        def make(cls): ...

    assert [name.rpartition(".")[2] for name in _undocumented(Bare)] == ["Bare", "method", "attribute", "make"]


@pytest.mark.parametrize("module", [*MODULES, WITH_LANGCHAIN, *RETURNED])
def test_every_public_name_has_a_docstring(module):
    if module == WITH_LANGCHAIN:
        pytest.importorskip("langchain_core")
    names = RETURNED.get(module)
    module = importlib.import_module(module)
    assert module.__doc__ or names
    found = [getattr(module, name) for name in names or module.__all__]
    classes = [value for value in found if inspect.isclass(value)]
    assert classes, "there is something to look at"
    assert not [name for cls in classes for name in _undocumented(cls)]
    assert not [value for value in found if inspect.isroutine(value) and not value.__doc__]


STREAMS = {"generate_stream", "chat_stream", "route_stream"}
OF_A_LOOP = {"start_metrics_server", "stop_metrics_server", "update_providers"}
"""The server runs on the loop that starts it; the ancestor's update is a coroutine that never waits."""


@pytest.mark.parametrize("cls", [GigaChatProvider, Router])
def test_every_coroutine_and_stream_has_a_blocking_twin_with_the_same_parameters(cls):
    methods = {name: value for name, value in inspect.getmembers(cls, inspect.isfunction) if name[0] != "_"}
    awaited = {name for name, value in methods.items() if inspect.iscoroutinefunction(value)} - OF_A_LOOP
    awaited |= STREAMS & methods.keys()
    twins = {name.removesuffix("_sync") for name in methods if name.endswith("_sync")}
    assert awaited == twins and len(awaited) >= 2
    for name in awaited:
        one, other = methods[name], methods[f"{name}_sync"]
        assert inspect.signature(one).parameters == inspect.signature(other).parameters, name
        assert not inspect.iscoroutinefunction(other)


def test_nothing_else_has_to_be_installed():
    required = importlib.metadata.requires("libgigachat") or []
    assert required and all("extra ==" in one for one in required), required
