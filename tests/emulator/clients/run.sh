#!/bin/sh
# Foreign clients against the emulator: the official Python SDK, stable and pre-release, langchain-gigachat, npm
# gigachat, and the OpenAI SDK through gpt2giga in both its modes make each of their calls but assistants and threads.
#
#   tests/emulator/clients/run.sh
#
# The clients come from the registries, in the versions that requirements-*.txt and package.json name.
#
# PYTHON, NODE, NPM, CARGO_TARGET_DIR
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-python3}
node=${NODE:-node}
npm=${NPM:-npm}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
work=$CARGO_TARGET_DIR/clients

say() { printf '\n== %s\n' "$*"; }

say "the emulator"
cargo build --quiet --package gigachat-emulator
emulator=$CARGO_TARGET_DIR/debug/gigachat-emulator

# An environment is made anew when what it is to hold has changed.
environment() {
    wanted=$here/requirements-$1.txt
    if ! cmp -s "$wanted" "$work/$1/made-from"; then
        say "an environment: $1"
        rm -rf "${work:?}/$1"
        "$python" -m venv "$work/$1"
        "$work/$1/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
        cp "$wanted" "$work/$1/made-from"
    fi
}

failed=
# Each program gets an emulator of its own; the limits of rate and concurrency are not what is looked at.
with_emulator() {
    "$emulator" --concurrency 0 --no-rate-limit -- "$@" || failed="$failed
    $*"
}

mkdir -p "$work"
for kind in stable newest proxy; do environment "$kind"; done

for kind in stable newest; do
    say "the official SDK and LangChain: $kind"
    with_emulator "$work/$kind/bin/python" "$here/official_sdk.py"
    with_emulator "$work/$kind/bin/python" "$here/langchain_client.py"
done

for mode in v1 v2; do
    say "the OpenAI SDK through the proxy: $mode"
    with_emulator "$work/proxy/bin/python" "$here/openai_by_proxy.py" "$mode"
done

if command -v "$node" >/dev/null && command -v "$npm" >/dev/null; then
    say "npm gigachat"
    mkdir -p "$work/npm"
    cp "$here/package.json" "$here/package-lock.json" "$work/npm/"
    (cd "$work/npm" && "$npm" ci --silent --no-audit --no-fund)
    cd "$work/npm"
    with_emulator "$node" "$here/npm_client.mjs"
else
    say "npm gigachat: no Node.js here (NODE, NPM)"
    failed="$failed
    npm gigachat: not run"
fi

if [ -n "$failed" ]; then
    echo "failed:$failed" >&2
    exit 1
fi
