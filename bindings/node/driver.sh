#!/bin/sh
# The fault matrix's driver: driver.sh build, then driver.sh run (tests/behaviour).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../native.sh"
case $1 in
build) cd "$here" && npm ci --silent --no-audit --no-fund ;;
run) exec node "$here/test/matrix-driver.mjs" ;;
esac
