#!/usr/bin/env bash
# Builds the fuzzers and runs every target for a bounded time, one after the other:
#
#   fuzz/run.sh [SECONDS PER TARGET, default 30, or "build" to build only] [TARGET...]
#
# Prints one line of figures per target. Fails on a crash, a broken property, a hang, too much
# memory, and on a fuzzer without coverage; the input is kept in fuzz/artifacts. What is new in
# coverage is kept in the target directory and used again; the checked-in corpus stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly CARGO_FUZZ=0.13.2
readonly HANG_SECONDS=25 MEMORY_MB=2048
readonly HOST=x86_64-unknown-linux-gnu
export CARGO_TERM_COLOR=never
# cargo-fuzz needs compiler flags that are not stable; the toolchain is.
export RUSTC_BOOTSTRAP=1

seconds=${1:-30}
shift || true
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-fuzz/target}")

if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $CARGO_FUZZ" ]; then
    echo "fuzz: installing cargo-fuzz $CARGO_FUZZ"
    env -u RUSTC_BOOTSTRAP CARGO_TARGET_DIR="$target_dir/cargo-fuzz" \
        cargo install --quiet --locked --force cargo-fuzz --version "$CARGO_FUZZ"
fi

begun=$SECONDS
# The code as it is shipped: no `cfg(fuzzing)`, which dependencies know too.
CARGO_TERM_QUIET=true cargo fuzz build --target "$HOST" --target-dir "$target_dir" --no-cfg-fuzzing --codegen-units 4
echo "fuzz: built in $((SECONDS - begun)) s"
[ "$seconds" != build ] || exit 0

figure() { # figure LOG NAME: the last value of a figure in libFuzzer's words
    grep -oE "$2:? +[0-9]+" "$1" | tail -1 | grep -oE '[0-9]+$' || echo 0
}

run() { # run TARGET: a line of figures; fails when the fuzzer does
    local target=$1 scratch="$target_dir/fuzz/$1" status=0
    local log="$scratch/log" artifacts="fuzz/artifacts/$1" options=()
    mkdir -p "$scratch/corpus" "$artifacts"
    [ -e "fuzz/dictionaries/$target.dict" ] && options+=("-dict=fuzz/dictionaries/$target.dict")
    # While threads of the library run leaks are guessed at; they are looked for at the end.
    [ "$target" = c_api ] && options+=(-detect_leaks=0)
    # By itself the fuzzer ends in time; `timeout` is for one that does not.
    timeout --kill-after=10 $((seconds + 120)) "$target_dir/$HOST/release/$target" \
        -max_total_time="$seconds" -timeout=$HANG_SECONDS -rss_limit_mb=$MEMORY_MB -max_len=8192 \
        -print_final_stats=1 -artifact_prefix="$artifacts/" "${options[@]}" \
        "$scratch/corpus" "fuzz/corpus/$target" >"$log" 2>&1 || status=$?
    local covered
    covered=$(figure "$log" 'cov')
    printf 'fuzz: %-14s %10s executions %7s/s  coverage %6s  corpus %5s\n' "$target" \
        "$(figure "$log" 'stat::number_of_executed_units')" \
        "$(figure "$log" 'stat::average_exec_per_sec')" "$covered" "$(figure "$log" 'corp')"
    if [ "$status" -ne 0 ]; then
        echo "fuzz: $target FAILED ($status); what it said last, all of it in $log:" >&2
        grep -E "panicked|ERROR|SUMMARY|Test unit written" -A 3 "$log" | head -40 >&2
        echo "fuzz: the input is in $artifacts" >&2
        return 1
    fi
    if ! grep -qE 'INFO: Loaded [0-9]+ modules .*inline 8-bit counters' "$log" || [ "$covered" -lt 100 ]; then
        echo "fuzz: $target FAILED: it ran without coverage (see $log)" >&2
        return 1
    fi
}

targets=("$@")
[ ${#targets[@]} -eq 0 ] && mapfile -t targets < <(cd fuzz/fuzz_targets && printf '%s\n' *.rs | sed 's/\.rs$//')
failed=0
for target in "${targets[@]}"; do
    run "$target" || failed=1
done
exit $failed
