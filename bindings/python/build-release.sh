#!/bin/sh
# Builds the wheel that is published: full optimisation, and linked by zig against glibc 2.17, so
# that it runs on every Linux of the last ten years. The wheel ends up in target/python/release.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
work=${CARGO_TARGET_DIR:-$root/target}/python
mkdir -p "$work"

"$python" -m venv "$work/release-tools"
"$work/release-tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-release.txt"
PATH="$work/release-tools/bin:$PATH" CARGO_TARGET_DIR="$work/zig" \
    maturin build --release --locked --zig --compatibility manylinux_2_17 \
    --manifest-path "$here/Cargo.toml" --out "$work/release"
