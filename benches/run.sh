#!/usr/bin/env bash
# All benchmarks, on loopback only. The first argument is the prefix that the library was
# installed to (make bench does that).
set -euo pipefail

prefix=$1
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --package gigachat-emulator
for program in gigachat_one gigachat_many; do
    cc -O2 -std=c99 -D_DEFAULT_SOURCE -Wall -Wextra -I"$prefix/include" "benches/c/$program.c" -o "$work/$program" \
        -L"$prefix/lib" -lgigachat -Wl,-rpath,"$prefix/lib"
done
for program in curl_one curl_many; do
    cc -O2 -std=c99 -D_DEFAULT_SOURCE -Wall -Wextra "benches/c/$program.c" -o "$work/$program" -lcurl
done
"${CARGO_TARGET_DIR:-target}/release/gigachat-emulator" --quiet --no-record --concurrency 0 --http1-only \
    -- python3 benches/paired.py "$work"
cargo bench --quiet --package gigachat --bench sse
cargo bench --quiet --package gigachat --bench router
printf 'stripped shared library: %s bytes (goal: at most 6 MB)\n' "$(stat -L -c %s "$prefix/lib/libgigachat.so")"
