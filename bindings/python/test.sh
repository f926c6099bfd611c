#!/bin/sh
# Builds the wheel, installs it into a fresh virtual environment and runs the tests there against
# the emulator. Needs a Rust toolchain and python3 >= 3.10; nothing else.
#
#   bindings/python/test.sh [pytest arguments]
#
# CHECK_TYPES=1     checks the annotations too, which takes a minute more
# PYTHON            the interpreter to test with (python3)
# CARGO_TARGET_DIR  where Rust builds (target/ of the repository)
# PYTHON_WORK_DIR   where environments and wheels go (python/ in there)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
work=${PYTHON_WORK_DIR:-$CARGO_TARGET_DIR/python}
mkdir -p "$work"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "python3 3.10 or newer is needed; set PYTHON" >&2
    exit 2
}

say() { printf '\n== %s\n' "$*"; }

say "the emulator"
cargo build --quiet --manifest-path "$root/Cargo.toml" -p gigachat-emulator

say "the wheel"
if [ ! -x "$work/build/bin/maturin" ]; then
    "$python" -m venv "$work/build"
fi
"$work/build/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-build.txt"
rm -rf "$work/wheels"
# In a target folder of its own: the core is built without its C ABI here, and its libgigachat.so
# must not take the place of the one that is installed.
# Without link-time optimisation it takes a third of the time; the tests do not measure speed.
CARGO_TARGET_DIR="$work/rust" \
CARGO_PROFILE_RELEASE_LTO=${CARGO_PROFILE_RELEASE_LTO:-off} \
CARGO_PROFILE_RELEASE_CODEGEN_UNITS=${CARGO_PROFILE_RELEASE_CODEGEN_UNITS:-16} \
    "$work/build/bin/maturin" build --release --quiet --locked \
    --manifest-path "$here/Cargo.toml" --interpreter "$python" --out "$work/wheels"

say "a fresh environment"
rm -rf "$work/test"
"$python" -m venv "$work/test"
"$work/test/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps "$work"/wheels/*.whl
"$work/test/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-test.txt"
if [ -n "${CHECK_TYPES:-}" ]; then
    "$work/test/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-types.txt"
fi

say "the tests"
cd "$here"
GIGACHAT_EMULATOR="$CARGO_TARGET_DIR/debug/gigachat-emulator" \
    exec "$work/test/bin/python" -m pytest -q "$@"
