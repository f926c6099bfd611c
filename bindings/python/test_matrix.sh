#!/bin/sh
# The Python tests on every CPython at hand, one after the other, with one and the same wheel; then
# the exits with work in flight, many times over on each. Takes long.
#
#   bindings/python/test_matrix.sh [interpreter ...]
#
# Without arguments: python3.10 to python3.14 and those of pyenv, as far as they are there. The
# annotations are left out here: test.sh checks them.
#
# EXIT_RUNS         how many times each exit is tried (100); 0 leaves them out
# CARGO_TARGET_DIR, PYTHON_WORK_DIR, WHEEL: see build-for-tests.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
work=${PYTHON_WORK_DIR:-$CARGO_TARGET_DIR/python}
runs=${EXIT_RUNS:-100}

if [ $# -eq 0 ]; then
    for minor in 10 11 12 13 14; do
        for found in "$(command -v "python3.$minor" || true)" "$HOME"/.pyenv/versions/3."$minor".*/bin/python3; do
            if [ -x "$found" ] && "$found" -c "import sys; sys.exit(sys.version_info[1] != $minor)" 2>/dev/null; then
                set -- "$@" "$found"
                break
            fi
        done
    done
fi
[ $# -gt 0 ] || { echo "no CPython 3.10 or newer found" >&2; exit 2; }

wheel=$("$here/build-for-tests.sh")
export GIGACHAT_EMULATOR="$CARGO_TARGET_DIR/debug/gigachat-emulator"
failed=
for python in "$@"; do
    version=$("$python" -c 'import platform; print(platform.python_version())')
    printf '\n== CPython %s\n' "$version"
    venv=$work/matrix-$version
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps "$wheel"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-test.txt"
    cd "$here"
    "$venv/bin/python" -m pytest -q || failed="$failed $version"
    if [ "$runs" -gt 0 ]; then
        GIGACHAT_EXIT_RUNS=$runs "$venv/bin/python" -m pytest -q -rA --timeout 1800 \
            tests/test_process.py -k exit || failed="$failed $version(exits)"
    fi
done
if [ -n "$failed" ]; then
    echo "failed:$failed" >&2
    exit 1
fi
