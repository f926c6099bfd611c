#!/usr/bin/env bash
# The public interface against its checked-in description, tests/abi/gigachat.abi: whatever differs
# fails. An addition is accepted deliberately, by --update; a removal or change never should be.
#
#     tools/proof/abi.sh             compare
#     tools/proof/abi.sh --update    write the description again
#
# What is described is the C header, as the compiler understands it: a C file with a variable of
# every function's type, every type and every constant, compiled with debug information. No build of
# the library is looked at, so debug and release are the same here; that the library is what the
# header says is shown by tests/header.rs (declarations, made from the Rust code) and by
# tests/installed/test_symbols.py (exports). The library's own debug information would describe the
# inside of it as well, which may change at will.
set -euo pipefail
cd "$(dirname "$0")/../.."

baseline=tests/abi/gigachat.abi
header=${GIGACHAT_HEADER:-include/gigachat.h}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/include"
cp "$header" "$work/include/gigachat.h"
python3 tests/abi/describe.py "$work/include/gigachat.h" >"$work/described.c"
# Paths and the compiler's version stay out of the description.
(cd "$work" && cc -std=c11 -g -gno-record-gcc-switches -shared -fPIC -nostdlib -Iinclude \
    "-fdebug-prefix-map=$work=." described.c -o libgigachat.so)
abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --load-all-types \
    "$work/libgigachat.so" >"$work/now.abi"

if [ "${1:-}" = --update ]; then
    cp "$work/now.abi" "$baseline"
    echo "abi: $baseline written: $(grep -c "elf-symbol name='function_" "$baseline") functions," \
        "$(grep -c '<enumerator ' "$baseline") constants"
    exit 0
fi
if abidiff --no-show-locs "$baseline" "$work/now.abi"; then
    echo "abi: as described: $(grep -c "elf-symbol name='function_" "$baseline") functions," \
        "$(grep -c '<enumerator ' "$baseline") constants"
else
    echo "abi: the interface differs from $baseline; if something was added and nothing else" \
        "changed, accept it with: tools/proof/abi.sh --update" >&2
    exit 1
fi
