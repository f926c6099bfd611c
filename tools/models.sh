#!/bin/sh
# Model checks: the core's unit tests that loom explores (call state, generation swap, token refresh,
# permit, router selection).
#
#   tools/models.sh          "build" only builds
#
# Only the core's own test program is compiled with the cfg (RUSTFLAGS would compile every
# dependency for it once more), so this costs one crate beyond `cargo test --package gigachat`.
set -eu
cd "$(dirname "$0")/.."
program=$(cargo rustc --quiet --locked --package gigachat --lib --profile test --message-format json -- \
    --cfg gigachat_loom | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -n "$program" ] || { echo "models: nothing was built" >&2; exit 1; }
[ "${1:-}" != build ] || exit 0
# Only the models; the other tests do not run under loom.
exec "$program" model::
