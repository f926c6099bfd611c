#!/usr/bin/env bash
# Runs one test, by its name or its file:
#
#   tools/one_test.sh a_401_storm_makes_one_refresh     Rust tests whose path contains this
#   tools/one_test.sh test_queue                        a Python test of any harness, by its name
#   tools/one_test.sh test_streams.py                   a Python file: the wheel's or the installed library's
#   tools/one_test.sh tests/c/queue.c                   a C or C++ program
#
# Builds what this one test needs, not optimised, and nothing else. GIGACHAT_PREFIX is where the library
# goes for tests of the installed one (build/demo).
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1:-}
if [ -z "$name" ]; then
    echo "usage: make t T=NAME_OF_A_TEST_OR_FILE" >&2
    exit 2
fi
export GIGACHAT_PREFIX=${GIGACHAT_PREFIX:-$PWD/build/demo}

install_for_tests() {
    PROFILE=dev packaging/install.sh "$GIGACHAT_PREFIX" >/dev/null
    GIGACHAT_EMULATOR=$(tools/emulator.sh)
    export GIGACHAT_EMULATOR
}

installed() { # installed ARGUMENT...: of Python's unittest
    install_for_tests
    (cd tests/installed && PROFILE=dev exec python3 -m unittest --verbose "$@")
}

program() { # program FILE: compiled against the installed library, run with the emulator
    local work status=0 compiler=(cc -std=c99 -I tests/c)
    [ "${1##*.}" = c ] || compiler=(c++ -std=c++17 -I tests/cpp)
    # What `make demo` builds.
    PROFILE=dev packaging/install.sh --shared-only --with gigachat-emulator "$GIGACHAT_PREFIX" >/dev/null
    GIGACHAT_EMULATOR=$(realpath -m "${CARGO_TARGET_DIR:-target}")/debug/gigachat-emulator
    work=$(mktemp -d)
    "${compiler[@]}" -g -Wall -Wextra -I "$GIGACHAT_PREFIX/include" "$1" -o "$work/program" \
        -L "$GIGACHAT_PREFIX/lib" -lgigachat "-Wl,-rpath,$GIGACHAT_PREFIX/lib" -pthread -ldl
    "$GIGACHAT_EMULATOR" --quiet --concurrency 0 --no-rate-limit -- "$work/program" || status=$?
    rm -rf "$work"
    exit "$status"
}

python_file() { # python_file FILE [TEST]
    case $1 in
        bindings/python/tests/*)
            CHECK_TYPES=0 exec bindings/python/test.sh "tests/$(basename "$1")" ${2:+-k "$2"} ;;
        tests/installed/*) installed "$(basename "$1" .py)" ${2:+-k "$2"} ;;
        *) echo "$1: not a test of the wheel or of the installed library" >&2; exit 2 ;;
    esac
}

case $name in
    *.py | *.c | *.cpp)
        file=$(git ls-files | grep -E "(^|/)${name//./\\.}\$" | head -n 1 || true)
        [ -n "$file" ] || { echo "no file $name" >&2; exit 2; }
        case $file in
            *.py) python_file "$file" ;;
            *) program "$file" ;;
        esac
        exit ;;
esac

# A function of a Python test?
file=$(git grep -lE "def $name\(" -- bindings/python/tests tests/installed | head -n 1 || true)
if [ -n "$file" ]; then
    python_file "$file" "$name"
    exit
fi

# A Rust test: of the packages whose sources have such a function, or a module or file of this name.
word=${name##*::}
found=$(git grep -lE "(fn|mod) \w*$word" -- '*.rs'; git ls-files -- "*$word*.rs")
found=$(echo "$found" | sed -nE 's,^(core|tests/emulator|bindings/python)/.*,\1,p; s,^(src)/.*,\1,p; s,^tests/(header|readme)\.rs$,tests/c_library,p' | sort -u)
[ -n "$found" ] || { echo "no test is called $name" >&2; exit 2; }
packages=()
for folder in $found; do
    case $folder in
        core) packages+=(--package gigachat) ;;
        src) packages+=(--package libgigachat) ;;
        tests/c_library) packages+=(--package gigachat-c-library) ;;
        tests/emulator) packages+=(--package gigachat-emulator) ;;
    esac
done
output=$(mktemp)
trap 'rm -f "$output"' EXIT
set +e
cargo test --quiet --locked "${packages[@]}" --lib --tests -- "$name" 2>&1 | tee "$output" |
    grep -vE '^$|running 0 tests|0 passed; 0 failed'
status=${PIPESTATUS[0]}
set -e
if [ "$status" -eq 0 ] && ! grep -qE '[1-9][0-9]* passed' "$output"; then
    echo "no test is called $name" >&2
    status=1
fi
exit "$status"
