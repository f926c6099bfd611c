#!/usr/bin/env bash
# Every proof of docs/PROOF.md, one after the other, and a table of their figures at the end.
#
#   tools/proof.sh          all of it, at most 20 minutes
#   tools/proof.sh short    3 minutes of it: what CI runs
#
# Builds what it needs before the clock starts. Each proof is bounded: one that hangs fails. One
# that fails does not keep the others from being run. `make proof` does the set-up.
set -uo pipefail
cd "$(dirname "$0")/.."

form=${1:-full}
case $form in full | short) ;; *) echo "usage: $0 [short]" >&2; exit 2 ;; esac
export CARGO_TERM_COLOR=never
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
folder=$CARGO_TARGET_DIR/proof
mkdir -p "$folder"
export GIGACHAT_PREFIX=${GIGACHAT_PREFIX:-$PWD/build/prefix}
export GIGACHAT_EMULATOR=${GIGACHAT_EMULATOR:-$CARGO_TARGET_DIR/debug/gigachat-emulator}
table=$folder/table.md
failed=0

begin() {
    printf '| Proof | Figures | Seconds |\n|---|---|---|\n' >"$table"
    echo "proof: $form form, $(nproc) processors, $(uname -m), $(rustc --version)"
}

# prove NAME SECONDS COMMAND...: its last line is its figure; the whole output is kept in a log.
prove() {
    local name=$1 limit=$2 log status=0 began=$SECONDS figure
    shift 2
    log=$folder/$(echo "$name" | tr ' ' '-').log
    printf 'proof: %s ... ' "$name"
    timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
    figure=$(grep -v '^[[:space:]]*$' "$log" | tail -n "${lines:-1}" | sed 's/|/\\|/g')
    figure=${figure//$'\n'/<br>}
    if [ "$status" -eq 0 ]; then
        echo "$((SECONDS - began)) s"
    else
        failed=1
        figure="**failed** ($([ "$status" -eq 124 ] && echo "not over after $limit s" || echo "status $status"))"
        echo "FAILED ($status); the end of $log:"
        tail -n 40 "$log"
    fi
    echo "| $name | $figure | $((SECONDS - began)) |" >>"$table"
}
