"""Writes what this package has from the core's tables: keywords, their types and defaults, and which
exception an error kind is. Each stands between two marks in its file.

    python3 bindings/python/generate.py            rewrites them from api/gigachat.json
    python3 bindings/python/generate.py --check    fails when one is behind it
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "python" / "orchestrator"
DESCRIPTION = HERE.parents[1] / "api" / "gigachat.json"

TYPES = {
    "text": "str",
    "secret": "str",
    "URL": "str",
    "seconds": "float",
    "count": "int",
    "bytes": "int",
    "number": "float",
    "boolean": "bool",
}

# multi-llm-orchestrator's configuration has these values where nothing is given, others None.
DEFAULTS = {"name": '"gigachat"', "timeout": "30", "max_retries": "3"}

# A field of it for other services, and one for pickles: they are no options of the core.
BEYOND_THE_CORE = [("folder_id", "str | None", "None"), ("pickle_credentials", "bool", "True")]

# Kinds that share a class, and those that say nothing a program would catch.
CLASSES = {"connection": "ServiceConnectionError", "tls": "ServiceConnectionError"}
PLAIN = ("cancelled", "forked", "shutdown", "internal")


def keyword(option: dict) -> str:
    """The oldest word for it."""
    return option["known_as"] or option["name"]


def default(option: dict) -> str:
    if option["unit"] == "boolean" and option["default"] in ("true", "false"):
        return option["default"].capitalize()
    return DEFAULTS.get(option["name"], "None")


def annotation(option: dict, path: str, hosts: str, headers: str, scope: str) -> str:
    unit = option["unit"]
    kind = {"path": path, "host names": hosts, "headers": headers}.get(unit) or TYPES[unit]
    if option["name"] == "scope":
        kind = scope
    return kind if default(option) != "None" else f"{kind} | None"


def of_config(options: list[dict]) -> str:
    """The annotations of ``ProviderConfig``."""
    words = ("str | os.PathLike[str]", "t.Sequence[str]", "t.Mapping[str, str]", "_options.Scope")
    lines = [f"    {keyword(option)}: {annotation(option, *words)}" for option in options]
    lines += [f"    {name}: {kind}" for name, kind, _ in BEYOND_THE_CORE]
    return "\n".join(lines)


def defaults(options: list[dict]) -> str:
    lines = [f'        "{keyword(option)}": {default(option)},' for option in options]
    lines += [f'        "{name}": {value},' for name, _, value in BEYOND_THE_CORE]
    return "\n".join(lines)


def secrets(options: list[dict]) -> str:
    """What is never shown: a proxy and headers may carry a password."""
    hidden = [option for option in options if option["unit"] in ("secret", "headers") or option["name"] == "proxy"]
    return "\n".join(f'        "{keyword(option)}",' for option in hidden)


def aliases(options: list[dict]) -> str:
    pairs = [(other, keyword(option)) for option in options for other in option["aliases"]]
    return "\n".join(f'        "{other}": "{ours}",' for other, ours in pairs)


def of_options(options: list[dict]) -> str:
    """The keywords as a ``TypedDict``, other words for them included."""
    words = ("_Path", "Iterable[str]", "Mapping[str, str]", "Scope")
    lines = []
    for option in options:
        lines.append(f"    {keyword(option)}: {annotation(option, *words)}")
    lines += [f"    {name}: {kind}" for name, kind, _ in BEYOND_THE_CORE]
    lines.append("    # The official SDK's words.")
    for option in options:
        lines += [f"    {other}: {annotation(option, *words)}" for other in option["aliases"]]
    return "\n".join(lines)


def scopes(options: list[dict]) -> str:
    (scope,) = (option for option in options if option["name"] == "scope")
    return "Scope = Literal[" + ", ".join(f'"{name}"' for name in scope["choices"]) + "]"


def kinds(all_kinds: list[dict]) -> str:
    """Which exception a kind of error is."""
    lines = []
    for kind in all_kinds:
        name = kind["name"]
        if name not in PLAIN:
            usual = "".join(word.capitalize() for word in name.split("_")) + "Error"
            lines.append(f'    "{name}": {CLASSES.get(name, usual)},')
    return "\n".join(lines)


def between(text: str, mark: str, made: str) -> str:
    """The text with what was made between the two marks of this name."""
    pattern = re.compile(rf"(^ *# from api/gigachat\.json: {mark}\n)(.*?)(^ *# end of {mark}\n)", re.DOTALL | re.MULTILINE)
    found, count = pattern.subn(lambda parts: f"{parts[1]}{made}\n{parts[3]}", text)
    assert count == 1, f"{count} places are marked as {mark}"
    return found


def files(description: dict) -> dict[Path, str]:
    options = description["options"]
    made = {
        "_config.py": {
            "annotations": of_config(options),
            "defaults": defaults(options),
            "secrets": secrets(options),
            "other words": aliases(options),
        },
        "_options.py": {"scopes": scopes(options), "keywords": of_options(options)},
        "_errors.py": {"kinds": kinds(description["error_kinds"])},
    }
    result = {}
    for name, marks in made.items():
        path = PACKAGE / name
        text = path.read_text(encoding="utf-8")
        for mark, part in marks.items():
            text = between(text, mark, part)
        result[path] = text
    return result


def main() -> int:
    description = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    behind = [
        (path, text) for path, text in files(description).items() if path.read_text(encoding="utf-8") != text
    ]
    for path, text in behind:
        if "--check" in sys.argv:
            print(f"{path}: behind api/gigachat.json; run python3 bindings/python/generate.py", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
    return int(bool(behind) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
