#!/bin/sh
# Proof: the unit tests of the C ABI that need no socket are free of undefined behaviour, by Miri.
#
#     tools/proof/miri.sh
#
# Where the toolchain has no Miri this says so and proves nothing.
set -eu
cd "$(dirname "$0")/../.."

if ! cargo miri --version >/dev/null 2>&1; then
    echo "Miri: not in this toolchain, not run"
    exit 0
fi
# The handles are words, made into pointers and back, never dereferenced. Isolation would forbid
# the clock.
passed=$(MIRIFLAGS="-Zmiri-disable-isolation" cargo miri test --quiet --package libgigachat --lib |
    tee >(cat >&2) | sed -n 's/^test result: ok\. \([1-9][0-9]*\) passed.*/\1/p')
[ -n "$passed" ] || exit 1
echo "Miri: $passed tests of the C ABI, no undefined behaviour"
