#!/bin/sh
# Builds the wheel, installs it into a fresh virtual environment and runs the tests there against
# the emulator. Needs a Rust toolchain and python3 >= 3.10; nothing else.
#
#   bindings/python/test.sh [pytest arguments]
#
# CHECK_TYPES=0     leaves out the annotations (mypy, pyright, stubtest), which take a minute
# ENGINES=1         installs Dask, Ray, Spark, pandas and pyarrow too (a gigabyte), whose tests are skipped without
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

say() { printf '\n== %s\n' "$*"; }

say "the emulator and the wheel"
wheel=$("$here/build-for-tests.sh")

say "a fresh environment"
rm -rf "$work/test"
"$python" -m venv "$work/test"
"$work/test/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
"$work/test/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-test.txt"
if [ "${CHECK_TYPES:-1}" != 0 ]; then
    "$work/test/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-types.txt"
fi
if [ "${ENGINES:-0}" != 0 ]; then
    "$work/test/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-engines.txt"
fi

say "the tests"
cd "$here"
GIGACHAT_EMULATOR="$CARGO_TARGET_DIR/debug/gigachat-emulator" \
    exec "$work/test/bin/python" -m pytest -q --durations 5 "$@"
