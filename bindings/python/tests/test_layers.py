"""The package's modules stand on floors, which ARCHITECTURE.md draws: imports run down only, those inside of
functions and under TYPE_CHECKING too. (The Rust crates: `core/tests/layers.rs`.)"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "bindings/python/python/orchestrator"
PICTURE = "### The Python package"
NATIVE = "_gigachat"


def _floors():
    """Each module with its floor, as the picture has it."""
    _, _, below = (ROOT / "ARCHITECTURE.md").read_text().partition(PICTURE)
    floors = {}
    for line in below.split("```")[1].splitlines():
        number, _, names = line.partition("  ")
        if number.isdigit():
            floors.update(dict.fromkeys(names.split(), int(number)))
    return floors


def _modules():
    """Each module with its source files; a folder is one module, `providers` is its files."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] == "providers" and parts[1:] != ("__init__",):
            yield f"providers.{parts[1]}", path
        else:
            yield parts[0].replace("__init__", "orchestrator"), path


def _imported(path):
    """The modules of the package that a file imports, anywhere in it."""
    package = ["orchestrator", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            start = [*start, *(node.module or "").split(".")] if node.module else start
            found = [[*start, alias.name] for alias in node.names]
        else:
            continue
        for names in found:
            if names[0] == "orchestrator":
                yield _module_of(names[1:])


def _module_of(names):
    if not names or not any((PACKAGE / f"{names[0]}{end}").exists() for end in ("", ".py", ".pyi")):
        return "orchestrator"
    if names[0] == "providers" and len(names) > 1 and (PACKAGE / "providers" / f"{names[1]}.py").exists():
        return f"providers.{names[1]}"
    return names[0]


def test_every_module_has_a_floor_and_every_floor_its_modules():
    found = {module for module, _ in _modules()} | {NATIVE}
    assert found == _floors().keys()


def test_every_import_runs_down():
    floors = _floors()
    faults, imports = [], 0
    for module, path in _modules():
        for name in _imported(path):
            imports += 1
            if name != module and floors[name] >= floors[module]:
                faults.append(f"{module} ({floors[module]}) imports {name} ({floors[name]})")
    assert imports > 100, "the reader here has gone blind"
    assert not faults, "\n".join(faults)


def test_an_import_in_a_function_is_seen(tmp_path):
    found = set(_imported(PACKAGE / "providers/gigachat.py"))
    assert {"_config", "_bridge", "_wire", "providers.base", NATIVE} <= found
