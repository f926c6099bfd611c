"""Directives that make tables of api/gigachat.json: `error-kinds`, `operations`, `c-chapters`."""

import json
import pathlib

from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.nodes import nested_parse_with_titles
from docutils import nodes

DESCRIPTION = pathlib.Path(__file__).resolve().parents[2] / "api" / "gigachat.json"


class Table(Directive):
    """A table of literal cells and plain ones; rows from the description."""

    header = ()

    def rows(self, description):
        raise NotImplementedError

    def run(self):
        rows = self.rows(json.loads(DESCRIPTION.read_text()))
        lines = [f"| {' | '.join(cells)} |" for cells in [self.header, ["---"] * len(self.header), *rows]]
        node = nodes.section()
        node.document = self.state.document
        nested_parse_with_titles(self.state, StringList(lines, str(DESCRIPTION)), node)
        return node.children


def code(text):
    return f"`{text}`" if text else ""


class ErrorKinds(Table):
    header = ("Kind", "In C", "HTTP", "What it means")

    def rows(self, description):
        for kind in description["error_kinds"]:
            statuses = ", ".join(str(status) for status in kind["http"])
            yield code(kind["name"]), code(kind["status"]), statuses, " ".join(kind["doc"].split())


class Operations(Table):
    header = ("Operation", "Request", "Takes", "Gives", "Permit", "Behind a router")

    def rows(self, description):
        for row in description["operations"]:
            gives = f"{row['gives']}, events" if row["events"] else row["gives"]
            permit = "yes" if row["permit"] else ""
            yield code(row["name"]), code(f"{row['method']} {row['path']}"), row["takes"], gives, permit, row["routing"]


def setup(app):
    app.add_directive("error-kinds", ErrorKinds)
    app.add_directive("operations", Operations)
    return {"parallel_read_safe": True}
