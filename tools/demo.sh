#!/usr/bin/env bash
# Runs the examples and prints what they print: against the emulator, or, when
# GIGACHAT_CREDENTIALS is set, against the service itself.
set -euo pipefail

prefix=$1
emulator=$2
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # build COMPILER STANDARD SOURCE NAME
    "$1" "-std=$2" -Wall -Wextra -I"$prefix/include" "$root/$3" -o "$work/$4" \
        -L"$prefix/lib" -lgigachat -Wl,-rpath,"$prefix/lib" -pthread
}
build cc c99 examples/c/generate.c generate
build cc c99 examples/c/stream.c stream
build cc c99 examples/c/async_cancel.c async_cancel
build c++ c++17 examples/cpp/generate.cpp generate-cpp

cat >"$work/all.sh" <<END
set -e
say() { printf '\n--- %s\n' "\$*"; }
say "C: one question";              "$work/generate" "What is C?"
say "C: a stream";                  "$work/stream" "count to 10"
say "C: concurrent calls";          "$work/async_cancel"
say "C++: one question";            "$work/generate-cpp" "What is C++?"
END

if [ -n "${GIGACHAT_CREDENTIALS:-}" ]; then
    bash "$work/all.sh"
else
    "$emulator" --quiet -- bash "$work/all.sh"
fi
