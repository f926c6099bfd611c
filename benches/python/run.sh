#!/bin/sh
# The Python benchmark, on loopback only: our wheel beside aiohttp, the official SDK and
# multi-llm-orchestrator; then 10,000 prompts by each way. Does its own set-up; measuring takes about five
# minutes.
#
# ENGINES=1         10,000 prompts on Dask, Ray and Spark too (a gigabyte of packages; Spark needs Java)
# MANY_COUNT        how many prompts instead of 10,000
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

if [ "${ENGINES:-0}" != 0 ]; then
    environment engines -r "$root/bindings/python/requirements-engines.txt"
    environment engines --no-index --no-deps --force-reinstall "$WHEEL"
fi

measure() {
    limit=$1
    shift
    timeout "$limit" "$CARGO_TARGET_DIR/release/gigachat-emulator" \
        --quiet --no-record --concurrency 0 --no-rate-limit "$@"
}
measure 280 --http1-only -- "$python" "$here/compare.py" "$work"
measure 1800 -- "$python" "$here/many_compare.py" "$work"
