#!/usr/bin/env bash
# The soak: so many calls of all kinds with random faults and cancels against the emulator in a
# process of its own. Memory, descriptors and threads stay flat, both sides' books add up; else the
# status is not 0. Prints the seed first and one line of figures at the end.
#
#     tools/proof/soak.sh [CALLS [SEED]] [--plant leak|miscount]
#
# 20,000 calls (the default) are the short form, 1,000,000 the long one. With --plant it must fail.
# "build" only builds. SOAK_PROFILE: the profile to build with (soak), dev to save the time.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -gt 0 ] || set -- 20000
profile=${SOAK_PROFILE:-soak}
# The choice of tools/emulator.sh, which in the profile dev has made it already.
cargo build --quiet --locked --profile "$profile" --workspace --bin gigachat-emulator --example soak
[ "$1" != build ] || exit 0
target=$(cargo metadata --format-version 1 --no-deps --offline |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
# Bounded, so that a call that never ends is a failure too.
[ "$profile" = dev ] && profile=debug
exec timeout 1800 "$target/$profile/examples/soak" "$@"
