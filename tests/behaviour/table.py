"""The table `*.json`: reads it, and writes its rows out in full. Performs nothing.

A file has `about`, `texts` (`$name` in a text stands for them) and `cases`. A case has

    name      what happens, as a sentence's beginning
    on        the endpoints: token, unary, stream, health
    http      [1, 2] unless said
    each      lists of rows; the case is written out for every combination of one row of each,
              `$name` standing for the row's value; `{"from": 0, "to": 9}` is ten rows; a name
              that begins with `_` is not repeated in the case's name
    emulator  faults of the emulator's, in its own words, without the endpoint
    peer      steps that the peer plays (peer.py)
    place     a URL that leads astray (world.py)
    times     how many requests it hits, 0 (unless said) all
    options   of the provider, on top of DEFAULTS
    prompt    what is asked, "repeat: hello" unless said
    cancel_after_ms  the call is cancelled from outside, so long after it was begun
    warm      whether a good call comes first, on a connection that stays open
    expect    the outcome: `all`, then the endpoint's, then e.g. `unary.h2`, each on top of the last

An outcome has `kind` and `phase` of the error (none: an answer), `http`, `code`, `attempts` (of the
token request, if that is what failed), `sent` (requests that the service saw, as `attempts` unless
said), `text` delivered, `reused` (whether the next call came on the same connection; null: it needed
none), `retry_after_ms`, `message` (a part of it), `again`: the kind of the next call, null for an
answer, and `retryable`, as `passes` says unless said. The request id is always told.
"""

import itertools
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent

DEFAULTS = {
    "max_concurrency": 1,
    "max_retries": 1,
    "timeout_ms": 5000,
    "health_timeout_ms": 5000,
    "connect_timeout_ms": 5000,
    # A permit that is not given back makes the next call fail, and say so.
    "queue_timeout_ms": 500,
}
ENDPOINTS = ("token", "unary", "stream", "health")
CASE_KEYS = {
    "name", "on", "http", "each", "emulator", "peer", "place", "times", "options", "prompt", "warm", "expect",
    "cancel_after_ms",
}  # fmt: skip
OUTCOME_KEYS = {
    "kind", "phase", "http", "code", "attempts", "sent", "text", "reused", "retry_after_ms", "message", "again",
    "retryable",
}  # fmt: skip


class Case:
    """One row, written out: one fault, one endpoint, one protocol, one expected outcome."""

    def __init__(self, topic, written, endpoint, http, row):
        self.endpoint, self.http, self.row = endpoint, http, row
        said = {name: json.dumps(value, ensure_ascii=False) for name, value in row.items() if name[0] != "_"}
        said = f" ({', '.join(' '.join(pair) for pair in said.items())})" if said else ""
        self.name = f"{topic}: {written['name']}{said}, {endpoint}, HTTP/{http}"
        self.group = (topic, written["name"])
        self.emulator = written.get("emulator", [])
        self.peer = written.get("peer")
        self.place = written.get("place")
        self.times = written.get("times", 0)
        self.options = {**DEFAULTS, **written.get("options", {})}
        self.prompt = written.get("prompt", "repeat: hello")
        self.warm = written.get("warm", False)
        self.cancel_after_ms = written.get("cancel_after_ms")
        self.expected = outcome(written["expect"], endpoint, http, self.name)


    def shortest_limit(self):
        """In milliseconds; a cancel is a limit, too."""
        limits = [value for name, value in self.options.items() if name.endswith("timeout_ms") and name[0] != "q"]
        return min(limits if self.cancel_after_ms is None else [self.cancel_after_ms, *limits])


def outcome(expect, endpoint, http, name):
    known = {"all"} | {place + version for place in ENDPOINTS for version in ("", ".h1", ".h2")} | {"h1", "h2"}
    refuse(set(expect) - known, name)
    expected = {}
    for layer in ("all", f"h{http}", endpoint, f"{endpoint}.h{http}"):
        expected.update(expect.get(layer, {}))
    refuse(set(expected) - OUTCOME_KEYS, name)
    for needed in ("attempts", "reused"):
        if needed not in expected:
            raise ValueError(f"{name}: the outcome does not say {needed}")
    expected.setdefault("kind", None)
    expected.setdefault("phase", None)
    expected.setdefault("http", 0)
    expected.setdefault("again", None)
    expected.setdefault("sent", expected["attempts"])
    expected.setdefault("retryable", int(passes(expected)))
    expected["request_id"] = 1
    if expected["kind"] == "cancelled":
        # The caller's word ends the call before its task has told how far it was.
        for field in ("phase", "attempts", "request_id"):
            del expected[field]
    if endpoint in ("stream", "unary", "token") and expected["kind"] is None:
        expected.setdefault("text", "hello")
    elif endpoint == "stream":
        expected.setdefault("text", "")
    return expected


def passes(expected):
    """Whether the same request may succeed later: what a program asks before it tries again."""
    kind, http = expected["kind"], expected["http"]
    return kind in ("rate_limit", "timeout", "connection") or (kind in ("server", "incomplete_stream") and http != 501)


def refuse(unknown, name):
    if unknown:
        raise ValueError(f"{name}: nobody knows {sorted(unknown)}")


def filled_in(value, row):
    """The value with `$name` replaced: a whole text by the row's value itself, a part by its text."""
    if isinstance(value, dict):
        return {filled_in(key, row): filled_in(inner, row) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled_in(inner, row) for inner in value]
    if isinstance(value, str) and "$" in value:
        if value[1:] in row and value[0] == "$":
            return filled_in(row[value[1:]], row)
        for name in sorted(row, key=len, reverse=True):
            value = value.replace("$" + name, str(row[name]))
    return value


def written_out(row):
    """The rows that a row with `{"from": a, "to": b}` stands for."""
    for name, value in row.items():
        if isinstance(value, dict) and set(value) == {"from", "to"}:
            return [{**row, name: number} for number in range(value["from"], value["to"] + 1)]
    return [row]


def rows(each):
    lists = [[row for short in rows_of_one for row in written_out(short)] for rows_of_one in each]
    for combination in itertools.product(*lists):
        merged = {}
        for row in combination:
            merged.update(row)
        yield merged


def read_file(path):
    """The cases of a file, written out."""
    file = json.loads(path.read_text(encoding="utf-8"))
    refuse(set(file) - {"about", "texts", "cases"}, path.name)
    texts = file.get("texts", {})
    for case in file["cases"]:
        refuse(set(case) - CASE_KEYS, f"{path.name}: {case.get('name')}")
        for row in rows(case.get("each", [[{}]])):
            filled = {key: filled_in(value, {**texts, **row}) for key, value in case.items() if key != "each"}
            for endpoint, http in itertools.product(filled["on"], filled.get("http", [1, 2])):
                yield Case(path.stem, filled, endpoint, http, shown(row))


def shown(row):
    """What of a row stands in the case's name: the short values."""
    return {name: value for name, value in row.items() if not isinstance(value, dict | list)}


def read():
    """Every case there is."""
    return [case for path in sorted(FOLDER.glob("*.json")) for case in read_file(path)]


def short(cases):
    """A fixed selection: two rows of every case, of other endpoints and protocols by turns."""
    groups = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    chosen = []
    for place, group in enumerate(groups.values()):
        first = (place * 7) % len(group)
        second = (first + len(group) // 2 + 1) % len(group)
        chosen += [group[index] for index in dict.fromkeys((first, second))]
    return chosen
