#!/bin/sh
# The Go package against the emulator: its tests with the race detector, its examples.
#
#   GIGACHAT_PREFIX      where libgigachat is installed
#   GIGACHAT_EMULATOR    the emulator
#   LOADS=short          smaller loads
set -eu
cd "$(dirname "$0")"
. ../native.sh
unformatted=$(gofmt -l .)
test -z "$unformatted" || { echo "gofmt: $unformatted" >&2; exit 1; }
go vet ./...
"$GIGACHAT_EMULATOR" --quiet --concurrency 0 --no-rate-limit -- \
    go test -race -timeout 900s ${LOADS:+$([ "$LOADS" = short ] && echo -short)} ./...
