"""What an import costs, which names there are, what is refused."""

import subprocess
import sys

import pytest

HEAVY = ["asyncio", "logging", "typing", "dataclasses", "inspect", "pydantic", "json", "threading"]


def _fresh(source):
    done = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["orchestrator", "orchestrator.providers", "orchestrator.metrics"])
def test_an_import_loads_nothing_heavy(module):
    bare = set(_fresh("import sys; print(*sys.modules)").split())
    loaded = set(_fresh(f"import sys, {module}; print(*sys.modules)").split())
    assert {name for name in HEAVY if name in loaded} <= bare
    foreign = {name for name in loaded - bare if not name.startswith("orchestrator")}
    assert len(foreign) <= 3, foreign


def test_an_import_starts_no_thread():
    assert _fresh("import orchestrator.providers, os; print(len(os.listdir('/proc/self/task')))") == "1"


def test_building_a_provider_starts_no_thread():
    source = """
import os
from orchestrator.providers import *
GigaChatProvider(ProviderConfig(name="x", api_key="a2V5"))
print(len(os.listdir("/proc/self/task")))
"""
    assert _fresh(source) == "1"


def test_the_names_of_the_ancestor():
    import orchestrator
    from orchestrator import Config, LLMRouter, Router, UsageCallback, UsageData  # noqa: F401
    from orchestrator.metrics import ProviderMetrics  # noqa: F401
    from orchestrator.providers import BaseProvider, GenerationParams, MockProvider  # noqa: F401
    from orchestrator.providers.base import TimeoutError as _  # noqa: F401
    from orchestrator.providers.gigachat import GigaChatProvider  # noqa: F401
    from orchestrator.providers.mock import MockProvider as _  # noqa: F401, F811

    assert LLMRouter is Router
    assert orchestrator.__version__


@pytest.mark.parametrize(
    "statement",
    [
        "from orchestrator.providers import YandexGPTProvider",
        "from orchestrator.providers.yandexgpt import YandexGPTProvider",
        "from orchestrator.providers import OllamaProvider",
        "from orchestrator.providers.ollama import OllamaProvider",
        "import orchestrator.validators",
        "from orchestrator.validators import validate",
        "import orchestrator.retrieval",
        "from orchestrator.pricing import calculate_cost",
        "from orchestrator.tokenization import count_tokens",
    ],
)
def test_what_was_not_taken_over_says_what_to_use_instead(statement):
    with pytest.raises(ImportError, match="not part of libgigachat: .{10}"):
        exec(statement)


def test_an_unknown_name_is_an_attribute_error():
    import orchestrator
    import orchestrator.providers

    assert not hasattr(orchestrator, "nothing") and not hasattr(orchestrator.providers, "nothing")


def test_an_installation_over_the_other_package_warns(tmp_path):
    import pathlib
    import shutil

    import orchestrator

    shutil.copytree(pathlib.Path(orchestrator.__file__).parent, tmp_path / "orchestrator")
    (tmp_path / "orchestrator" / "prometheus_exporter.py").touch()
    source = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import orchestrator"
    done = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "installed over each other" in done.stderr


def test_the_other_package_installed_over_this_one_is_refused(tmp_path):
    import pathlib
    import shutil

    import orchestrator

    package = shutil.copytree(pathlib.Path(orchestrator.__file__).parent, tmp_path / "orchestrator")
    # What pip does: files of the same name are replaced. It imports the router before anything else of ours.
    (package / "__init__.py").write_text('__version__ = "0.7.6"\nfrom .router import Router\n')
    (package / "router.py").write_text("class Router: pass\n")
    source = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import orchestrator"
    done = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "ImportError: multi-llm-orchestrator was installed over" in done.stderr
    (package / "__init__.py").unlink()  # pip uninstall multi-llm-orchestrator
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{source}.router"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "pip uninstall both" in done.stderr


def test_without_langchain_core_the_class_says_what_to_install():
    source = """
import sys
sys.modules["langchain_core"] = None
from orchestrator import MultiLLMOrchestrator
from orchestrator.langchain import LANGCHAIN_AVAILABLE
assert not LANGCHAIN_AVAILABLE
try:
    MultiLLMOrchestrator(router=None)
except ImportError as error:
    print(error)
"""
    assert "pip install 'libgigachat[langchain]'" in _fresh(source)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the older module is not importable this way")
def test_subinterpreters_are_refused_with_an_import_error():
    source = """
import sys
try:
    import _interpreters as interpreters
    number = interpreters.create()
except ImportError:
    import _xxsubinterpreters as interpreters
    number = interpreters.create(isolated=True)
try:
    problem = interpreters.run_string(number, "import orchestrator")
except Exception as error:
    problem = error
print("ImportError" in str(problem) or "subinterpreters" in str(problem), problem)
"""
    assert _fresh(source).startswith("True")


def test_the_extension_exports_its_entry_point_only():
    import shutil

    import orchestrator._gigachat as native

    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("no nm here")
    listing = subprocess.run([nm, "-D", "--defined-only", native.__file__], capture_output=True, text=True)
    names = [line.split()[-1] for line in listing.stdout.splitlines()]
    assert names == ["PyInit__gigachat"]
