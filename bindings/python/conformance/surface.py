"""Compares names and signatures of the ancestor's package, which is read and never run, with ours:
what its users may name or pass must be there. Behaviour is for its tests, not for this.

    python surface.py <the ancestor's folder orchestrator/>
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pathlib
import sys

MODULES = ["", "config", "router", "metrics", "langchain", "providers", "providers.base",
           "providers.gigachat", "providers.mock"]  # fmt: skip
LISTED = pathlib.Path(__file__).with_name("surface-exceptions.txt")
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def names_of(folder: pathlib.Path, module: str) -> dict[str, ast.AST]:
    """The public names that a module defines or takes over from its own package."""
    path = folder.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: dict[str, ast.AST] = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if node in _inside_of(found):
            continue
        if isinstance(node, (ast.ClassDef, *Function)):
            found.setdefault(node.name, node)
        elif isinstance(node, ast.ImportFrom) and node.level and file.name == "__init__.py":
            found.update({alias.asname or alias.name: node for alias in node.names})
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and target.id[:1].isupper():
                    found.setdefault(target.id, node)
    return {name: node for name, node in found.items() if not name.startswith("_")}


def _inside_of(found: dict[str, ast.AST]) -> set[ast.AST]:
    parents = (node for node in found.values() if isinstance(node, (ast.ClassDef, *Function)))
    return {inner for node in parents for inner in ast.walk(node)}


def lacks(where: str, theirs: ast.AST, ours: object) -> list[str]:
    """What of their name is not in ours."""
    if isinstance(theirs, Function):
        return _lacks_parameters(where, theirs, ours)
    if not isinstance(theirs, ast.ClassDef):
        return []
    found = []
    fields = {item.target.id for item in theirs.body if isinstance(item, ast.AnnAssign)}  # type: ignore[union-attr]
    for name in sorted(name for name in fields if not name.startswith("_")):
        if not (hasattr(ours, name) or name in _parameters(ours) or name in _annotated(ours)):
            found.append(f"{where}.{name}")
    for item in theirs.body:
        if not isinstance(item, Function) or (item.name.startswith("_") and item.name != "__init__"):
            continue
        mine = getattr(ours, item.name, None)
        name = f"{where}.{item.name}"
        found += [name] if mine is None else _lacks_parameters(name, item, mine)
    return found


def _annotated(ours: object) -> set[str]:
    return {name for cls in getattr(ours, "__mro__", ()) for name in inspect.get_annotations(cls)}


def _parameters(ours: object) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(ours).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return {}


def _lacks_parameters(where: str, theirs: ast.FunctionDef | ast.AsyncFunctionDef, ours: object) -> list[str]:
    """Parameters that are not there, or that have another place or another default."""
    if any(isinstance(by, ast.Name) and by.id == "property" for by in theirs.decorator_list):
        return []
    positional = [argument.arg for argument in theirs.args.args if argument.arg not in ("self", "cls")]
    mine = {name: known for name, known in _parameters(ours).items() if name != "self"}
    places = [name for name, known in mine.items() if known.kind is known.POSITIONAL_OR_KEYWORD]
    defaults = dict(zip(reversed(positional), reversed(theirs.args.defaults), strict=False))
    found = []
    for place, name in enumerate(positional):
        if name not in mine or places[place : place + 1] != [name]:
            found.append(f"{where}({name})")
        elif name in defaults and isinstance(defaults[name], ast.Constant):
            if mine[name].default != defaults[name].value:  # type: ignore[attr-defined]
                found.append(f"{where}({name}={ast.unparse(defaults[name])})")
    return found


def main(folder: pathlib.Path) -> int:
    listed = {}
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, reason = line.split("|", 1)
            listed[name.strip()] = reason.strip()
    compared, lacking = 0, []
    for module in MODULES:
        ours = importlib.import_module(".".join(filter(None, ("orchestrator", module))))
        for name, node in names_of(folder, module).items():
            compared += 1
            where = f"{ours.__name__}.{name}"
            mine = getattr(ours, name, None) if name not in _refused(ours, name) else None
            lacking += [where] if mine is None else lacks(where, node, mine)
    unlisted = [name for name in lacking if name not in listed]
    unneeded = [name for name in listed if name not in lacking]
    for name in unlisted:
        print(f"lacking: {name}")
    for name in unneeded:
        print(f"listed, but there: {name}")
    print(f"{compared} names compared, {len(lacking)} lacking, {len(unlisted)} of them not listed")
    return bool(unlisted or unneeded)


def _refused(ours: object, name: str) -> list[str]:
    """Names whose use says what to use instead."""
    try:
        getattr(ours, name, None)
    except ImportError:
        return [name]
    return []


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
