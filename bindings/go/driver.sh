#!/bin/sh
# The fault matrix's driver: driver.sh build, then driver.sh run (tests/behaviour).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../native.sh"
case $1 in
build) cd "$here" && go build -o build/matrix-driver ./cmd/matrix-driver ;;
run) exec "$here/build/matrix-driver" ;;
esac
