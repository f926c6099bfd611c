#!/bin/sh
# Builds the emulator and a wheel for tests, and says where the wheel is. Not the wheel that is
# published (build-release.sh builds that one).
#
#   wheel=$(bindings/python/build-for-tests.sh)
#
# PYTHON            the interpreter to build with (python3); any tests can run with any
# CARGO_TARGET_DIR  where Rust builds (target/ of the repository)
# PYTHON_WORK_DIR   where environments and wheels go (python/ in there)
# WHEEL             a wheel that is there already: only the emulator is built
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

"$root/tools/emulator.sh" >/dev/null
if [ -n "${WHEEL:-}" ]; then
    echo "$WHEEL"
    exit
fi

if [ ! -x "$work/build/bin/maturin" ]; then
    "$python" -m venv "$work/build" >&2
fi
"$work/build/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-build.txt" >&2
rm -rf "$work/wheels"
# Not optimised: the tests do not measure speed, overflows and debug assertions are looked at, and
# the dependencies are those of the other test builds.
"$work/build/bin/maturin" build --profile dev --quiet --locked \
    --manifest-path "$here/Cargo.toml" --interpreter "$python" --out "$work/wheels" >&2
ls "$work"/wheels/*.whl
