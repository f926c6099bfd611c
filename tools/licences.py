#!/usr/bin/env python3
"""Checks that every crate which ends up in the library has a licence on the list below.

Development dependencies are left out: nobody receives them. A crate's expression passes when one
of its alternatives consists of listed licences only.
"""

import json
import re
import subprocess
import sys

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause",
    "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense", "Zlib",
}


def alternatives(expression):
    """The expression as a list of alternatives, each a set of licences that apply together."""
    expression = expression.replace("/", " OR ")
    while match := re.search(r"\(([^()]*)\)", expression):
        # The innermost group: tried alternative by alternative in its place.
        result = []
        for part in match.group(1).split(" OR "):
            result += alternatives(expression[: match.start()] + part + expression[match.end() :])
        return result
    return [{name.strip() for name in part.split(" AND ")} for part in expression.split(" OR ")]


def shipped_packages():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = next(p["id"] for p in metadata["packages"] if p["name"] == "libgigachat")
    seen, open_ids = set(), [root]
    while open_ids:
        current = open_ids.pop()
        if current in seen:
            continue
        seen.add(current)
        for dependency in nodes[current]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                open_ids.append(dependency["pkg"])
    return [package for package in metadata["packages"] if package["id"] in seen]


def main():
    packages = shipped_packages()
    refused = []
    for package in packages:
        expression = package["license"] or "no licence"
        if not any(choice <= ALLOWED for choice in alternatives(expression)):
            refused.append(f"{package['name']} {package['version']}: {expression}")
    for line in refused:
        print(f"licence not on the list: {line}", file=sys.stderr)
    print(f"licences: {len(packages)} crates checked, {len(refused)} refused")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
