#!/bin/sh
# The Python benchmark, on loopback only: our wheel beside aiohttp, the official SDK and
# multi-llm-orchestrator. Does its own set-up; measuring takes about two minutes.
#
# PYTHON            the interpreter (python3)
# CARGO_TARGET_DIR  where Rust builds and the environments go (target/ of the repository)
# WHEEL             a wheel to measure instead of building one
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
work=$CARGO_TARGET_DIR/python-bench
mkdir -p "$work"

environment() {
    [ -x "$work/$1/bin/python" ] || "$python" -m venv "$work/$1"
    folder=$work/$1
    shift
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
}

cargo build --release --quiet --manifest-path "$root/Cargo.toml" -p gigachat-emulator
if [ -z "${WHEEL:-}" ]; then
    environment build -r "$root/bindings/python/requirements-build.txt"
    rm -rf "$work/wheels"
    # In a target folder of its own: see bindings/python/test.sh.
    CARGO_TARGET_DIR="$work/rust" "$work/build/bin/maturin" build --release --quiet --locked --interpreter "$python" \
        --manifest-path "$root/bindings/python/Cargo.toml" --out "$work/wheels"
    WHEEL=$(echo "$work"/wheels/*.whl)
fi
environment ours --no-index --no-deps --force-reinstall "$WHEEL"
for peer in aiohttp official-sdk ancestor; do
    environment "$peer" -r "$here/requirements-$peer.txt"
done

exec timeout 280 "$CARGO_TARGET_DIR/release/gigachat-emulator" \
    --quiet --no-record --concurrency 0 --http1-only --no-rate-limit \
    -- "$python" "$here/compare.py" "$work"
