"""Writes the generated Java sources from the library's description, api/gigachat.json: the C functions as
method handles, the exceptions, the options, the event types.

    python3 bindings/java/generate.py            rewrites them
    python3 bindings/java/generate.py --check    fails when one is behind the description
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "src/main/java/io/github/libgigachat"
DESCRIPTION = json.loads((HERE.parents[1] / "api/gigachat.json").read_text(encoding="utf-8"))
HEAD = "// Made from api/gigachat.json by generate.py. Do not edit.\npackage io.github.libgigachat;\n\n"

INTEGERS = {
    "gigachat_status": "I", "gigachat_event_type": "I", "gigachat_log_level": "I", "int32_t": "I", "uint32_t": "I",
    "int64_t": "L", "uint64_t": "L", "size_t": "L", "bool": "B", "double": "D",
}  # fmt: skip
OPTION_TYPES = {"seconds": "Duration", "count": "int", "bytes": "int", "number": "double", "boolean": "boolean"}


def pascal(name):
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[_ -]+", name))


def camel(name):
    word = pascal(name)
    return word[:1].lower() + word[1:]


def doc(text, indent=""):
    text = " ".join(text.split()).replace("*/", "* /").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("@", "&#64;")
    return f"{indent}/** {text} */\n"


def layout(of):
    """A handle is a 64-bit number, never an address."""
    plain = of.replace("const", "").strip()
    if plain in INTEGERS:
        return INTEGERS[plain]
    if re.fullmatch(r"gigachat_\w+ \*", plain) and "callback" not in plain:
        return "L"
    return "P"


def natives():
    rows = []
    for function in DESCRIPTION["functions"]:
        result = "null" if function["returns"] == "void" else layout(function["returns"])
        if function["returns"] in ("const char *", "const float *"):
            result = "P"
        takes = "".join(f", {layout(parameter['type'])}" for parameter in function["parameters"])
        short = function["name"].removeprefix("gigachat_")
        rows.append(f'    static final MethodHandle {short} = function("{function["name"]}", {result}{takes});\n')
    internal = next(row["value"] for row in DESCRIPTION["statuses"] if row["constant"] == "GIGACHAT_ERROR_INTERNAL")
    return (
        HEAD
        + "import static io.github.libgigachat.Library.*;\n\nimport java.lang.invoke.MethodHandle;\n\n"
        + "/** The C functions as method handles; a handle is a long, never an address. */\n"
        + "@SuppressWarnings(\"unused\")\nfinal class Native {\n    private Native() {}\n\n"
        + "".join(rows)
        + f"\n    static final int ERROR_INTERNAL = {internal};\n"
        + "}\n"
    )


def exceptions():
    out = HEAD
    out += "import java.util.Map;\nimport java.util.function.Function;\n\n"
    out += "/** The exception of each kind. */\npublic final class Exceptions {\n    private Exceptions() {}\n\n"
    for kind in DESCRIPTION["error_kinds"]:
        name = f"{pascal(kind['name'])}Exception"
        out += doc(kind["doc"], "    ")
        out += f"    public static final class {name} extends GigaChatException {{\n"
        out += "        private static final long serialVersionUID = 1;\n\n"
        out += f"        {name}(Details details) {{\n            super(details);\n        }}\n    }}\n\n"
    out += "    static final Map<String, Function<GigaChatException.Details, GigaChatException>> BY_KIND = Map.ofEntries(\n"
    rows = [
        f'        Map.entry("{kind["name"]}", {pascal(kind["name"])}Exception::new)' for kind in DESCRIPTION["error_kinds"]
    ]
    return out + ",\n".join(rows) + ");\n}\n"


def options(name, about, rows):
    out = HEAD + "import java.time.Duration;\nimport java.util.LinkedHashMap;\nimport java.util.Map;\n\n"
    out += doc(about) + f"public final class {name} {{\n    private final Map<String, String> values = new LinkedHashMap<>();\n\n"
    out += doc("Options with their defaults.", "    ") + f"    public {name}() {{}}\n\n"
    out += doc("An option by the library's name, such as one of a newer library.", "    ")
    out += f"    public {name} set(String name, String value) {{\n        values.put(name, value);\n        return this;\n    }}\n\n"
    out += "    Map<String, String> values() {\n        return values;\n    }\n"
    for row in rows:
        kind = OPTION_TYPES.get(row["unit"], "String")
        text = {"String": "value", "Duration": "Long.toString(value.toNanos() / 1000000) + \"e-3\""}.get(kind, "String.valueOf(value)")
        if kind == "Duration":
            text = "Library.seconds(value)"
        out += "\n" + doc(row["doc"], "    ")
        out += f"    public {name} {camel(row['name'])}({kind} value) {{\n"
        out += f'        return set("{row["name"]}", {text});\n    }}\n'
    return out + "}\n"


def events():
    out = HEAD + doc("What an event of a stream is. Newer kinds may come: they are UNKNOWN.") + "public enum EventType {\n"
    for event in DESCRIPTION["events"]:
        out += doc(event["doc"], "    ") + f"    {event['name'].upper()}({event['value']}),\n"
    out += doc("A kind that this version does not know.", "    ") + "    UNKNOWN(-1);\n\n"
    out += "    private final int number;\n\n    EventType(int number) {\n        this.number = number;\n    }\n\n"
    out += "    static EventType of(int number) {\n        for (EventType type : values()) {\n"
    out += "            if (type.number == number) {\n                return type;\n            }\n        }\n"
    return out + "        return UNKNOWN;\n    }\n}\n"


FILES = {
    "Native.java": natives(),
    "Exceptions.java": exceptions(),
    "Options.java": options("Options", "How a client is configured.", DESCRIPTION["options"]),
    "RouterOptions.java": options("RouterOptions", "How a router works.", DESCRIPTION["router_options"]),
    "EventType.java": events(),
}


def main():
    behind = []
    for name, text in FILES.items():
        path = SOURCES / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                behind.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if behind:
        sys.exit(f"behind api/gigachat.json: {', '.join(behind)}; run bindings/java/generate.py")


if __name__ == "__main__":
    main()
