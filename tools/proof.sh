#!/usr/bin/env bash
# Every proof of docs/PROOF.md, one after the other, and a table of their figures at the end.
#
#   tools/proof.sh          all of it, at most 20 minutes
#   tools/proof.sh short    3 minutes of it: what CI runs
#
# The short form is the same for every run of a commit: fixed seeds, fixed numbers of calls and
# executions. The long one takes a fresh seed, or that in SEED, and prints it; what it finds becomes a
# test or an input of the corpora.
# Builds what it needs before the clock starts. Each proof is bounded, and all of them together (the
# short form by 6 minutes, for slow machines): one that hangs fails. One that fails does not keep the
# others from being run. `make proof` does the set-up.
set -uo pipefail
cd "$(dirname "$0")/.."

form=${1:-full}
case $form in full | short) ;; *) echo "usage: $0 [short]" >&2; exit 2 ;; esac
case $form in short) seed=1 ;; full) seed=${SEED:-$((1 + RANDOM * 32768 + RANDOM))} ;; esac
export SEED=$seed
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
    echo "proof: $form form, seed $seed, $(nproc) processors, $(uname -m), $(rustc --version)"
}

# prove NAME SECONDS COMMAND...: its last line is its figure, or the lines that `figures` matches; the
# whole output is kept in a log.
prove() {
    local name=$1 limit=$2 log status=0 began=$SECONDS figure
    shift 2
    [ "$limit" -le $((deadline - SECONDS)) ] || limit=$((deadline - SECONDS))
    [ "$limit" -gt 0 ] || limit=1
    log=$folder/$(echo "$name" | tr ' ' '-').log
    printf 'proof: %s ... ' "$name"
    timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ -n "${figures:-}" ]; then
        figure=$(grep -E "$figures" "$log" | sed 's/^\.*//; s/  */ /g')
    else
        figure=$(grep -v '^[[:space:]]*$' "$log" | tail -n 1)
    fi
    figure=${figure//|/\\|}
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

# Everything is built before, so that the seconds are those of the proofs.
build() {
    local began=$SECONDS wheel python=$folder/python/bin/python
    set -e
    wheel=$(bindings/python/build-for-tests.sh)
    rm -rf "$folder/python"
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps "$wheel"
    export GIGACHAT_PYTHON=$python
    tools/models.sh build
    tools/proof/thread_sanitizer.sh build
    fuzz/run.sh build
    if [ "$form" = full ]; then
        tools/proof/address_sanitizer.sh build
        tools/proof/soak.sh build
    else
        SOAK_PROFILE=dev tools/proof/soak.sh build
    fi
    set +e
    echo "proof: built in $((SECONDS - began)) s"
}

begin
build
began=$SECONDS
deadline=$((SECONDS + 20 * 60))
[ "$form" = full ] || deadline=$((SECONDS + 10 * 60))
figures='judged|under a limit' prove "fault matrix" 420 env MATRIX="$form" python3 tests/behaviour/test_matrix.py
prove "model checks" 120 tools/models.sh
prove "ABI" 30 tools/proof/abi.sh
if [ "$form" = full ]; then
    prove "thread sanitizer" 180 tools/proof/thread_sanitizer.sh 60 "$seed"
    prove "address and leak sanitizers" 240 tools/proof/address_sanitizer.sh
    prove "Miri" 240 tools/proof/miri.sh
    prove "Python surface" 400 tools/proof/python_surface.sh 200000 "$seed"
    prove "soak" 480 tools/proof/soak.sh 1000000 "$seed"
    figures='executions' prove "fuzzing" 400 fuzz/run.sh 40
else
    prove "thread sanitizer" 90 tools/proof/thread_sanitizer.sh 10 "$seed"
    prove "soak" 120 env SOAK_PROFILE=dev tools/proof/soak.sh 20000 "$seed"
    prove "Python surface" 120 tools/proof/python_surface.sh 10000 "$seed"
    figures='executions' prove "fuzzing" 480 fuzz/run.sh gate
fi
echo
cat "$table"
echo
echo "proof: $((SECONDS - began)) s after the build; logs and the table are in $folder"
exit $failed
