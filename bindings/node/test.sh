#!/bin/sh
# The Node package against the emulator: its tests, its types.
#
#   GIGACHAT_PREFIX      where libgigachat is installed
#   GIGACHAT_EMULATOR    the emulator
#   LOADS=short          smaller loads
set -eu
cd "$(dirname "$0")"
. ../native.sh
npm ci --silent --no-audit --no-fund
node generate.mjs --check
npx --no-install tsc --project test/types
"$GIGACHAT_EMULATOR" --quiet --concurrency 0 --no-rate-limit -- node --test --test-concurrency 1 test/*.test.mjs
