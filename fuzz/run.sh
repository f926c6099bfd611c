#!/usr/bin/env bash
# Builds the fuzzers and runs every target, one after the other:
#
#   fuzz/run.sh [SECONDS] [TARGET...]     each for so long (30), from a fresh seed, or that in SEED
#   fuzz/run.sh gate [TARGET...]          the same for every run of a commit: the checked-in corpus,
#                                         then a fixed number of executions from a fixed seed
#   fuzz/run.sh build                     builds only
#
# Prints one line of figures per target, with its seed. Fails on a crash, a broken property, a hang,
# too much memory, and on a fuzzer without coverage; the input is kept in fuzz/artifacts. What is new
# in coverage is kept beside the build and used again, but not by the gate; the checked-in corpus
# stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly CARGO_FUZZ=0.13.2
readonly HANG_SECONDS=25 MEMORY_MB=2048
readonly HOST=x86_64-unknown-linux-gnu
# What the gate does, and how long it may take on a slow machine.
readonly GATE_SEED=1 GATE_BOUND=300
declare -rA GATE_EXECUTIONS=([answers]=30000 [c_api]=3000 [configuration]=20000 [request]=80000 [sse]=50000)
export CARGO_TERM_COLOR=never
# What the caller has set for programs of their own would be read by the library: a proxy of theirs
# would be used, a key of theirs be sent.
unset "${!GIGACHAT_@}" {http,https,all,no}_proxy {HTTP,HTTPS,ALL,NO}_PROXY SSL_CERT_FILE SSL_CERT_DIR
# cargo-fuzz needs compiler flags that are not stable; the toolchain is.
export RUSTC_BOOTSTRAP=1

form=${1:-30}
shift || true
# A folder of its own: this crate's builds of the library are not the workspace's.
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz

if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $CARGO_FUZZ" ]; then
    echo "fuzz: installing cargo-fuzz $CARGO_FUZZ"
    # Not optimised: it only calls the compiler.
    env -u RUSTC_BOOTSTRAP CARGO_TARGET_DIR="$target_dir/cargo-fuzz" \
        cargo install --quiet --locked --debug --force cargo-fuzz --version "$CARGO_FUZZ"
fi

begun=$SECONDS
# The code as it is shipped: no `cfg(fuzzing)`, which dependencies know too.
CARGO_TERM_QUIET=true cargo fuzz build --target "$HOST" --target-dir "$target_dir" --no-cfg-fuzzing --codegen-units 4
echo "fuzz: built in $((SECONDS - begun)) s"
[ "$form" != build ] || exit 0

figure() { # figure LOG NAME: the last value of a figure in libFuzzer's words
    grep -oE "$2:? +[0-9]+" "$1" | tail -1 | grep -oE '[0-9]+$' || echo 0
}

# corpora TARGET SEED: the folders of inputs, in the array `corpora`. The first is written to.
corpora() {
    local target=$1 seed=$2 scratch="$target_dir/runs/$1/$form"
    [ "$form" = gate ] || scratch="$target_dir/runs/$1/corpus"
    [ "$form" != gate ] || rm -rf "$scratch"
    mkdir -p "$scratch"
    corpora=("$scratch" "fuzz/corpus/$target")
    if [ -e "fuzz/found/$target" ]; then
        local unpacked="$target_dir/runs/$target/found"
        rm -rf "$unpacked"
        python3 fuzz/corpora.py unpack "fuzz/found/$target" "$unpacked"
        corpora+=("$unpacked")
    fi
    # Its coverage depends on the threads, and a fuzzer follows it: these inputs are drawn without.
    if [ "$form" = gate ] && [ "$target" = c_api ]; then
        local drawn="$target_dir/runs/$target/drawn" from="$target_dir/runs/$target/from"
        rm -rf "$drawn" "$from"
        mkdir -p "$from"
        find "${corpora[@]:1}" -type f -exec cp -t "$from" {} +
        python3 fuzz/corpora.py explore "$seed" "${GATE_EXECUTIONS[$target]}" "$from" "$drawn"
        corpora+=("$drawn")
    fi
}

run() { # run TARGET: a line of figures; fails when the fuzzer does
    local target=$1 status=0 seed bound options=()
    local log="$target_dir/runs/$1/log" artifacts="fuzz/artifacts/$1"
    mkdir -p "$artifacts" "$target_dir/runs/$1"
    if [ "$form" = gate ]; then
        seed=$GATE_SEED bound=$GATE_BOUND
        # Without a number of its own, what it is given is all that it executes.
        local runs=${GATE_EXECUTIONS[$target]}
        [ "$target" != c_api ] || runs=0
        options+=("-runs=$runs")
    else
        seed=${SEED:-$((1 + RANDOM * 32768 + RANDOM))} bound=$((form + 120))
        options+=("-max_total_time=$form")
    fi
    [ -e "fuzz/dictionaries/$target.dict" ] && options+=("-dict=fuzz/dictionaries/$target.dict")
    # To name new functions takes a symbolizer, and seconds.
    options+=("-print_funcs=0")
    # While threads of the library run leaks are guessed at; they are looked for at the end. How often
    # something runs depends on the threads: to count it takes most inputs for new, and to weigh them
    # by what is rare in them takes most of the time.
    [ "$target" = c_api ] && options+=(-detect_leaks=0 -entropic=0 -use_counters=0)
    corpora "$target" "$seed"
    # By itself the fuzzer ends in time; `timeout` is for one that does not.
    timeout --kill-after=10 "$bound" "$target_dir/$HOST/release/$target" -seed="$seed" \
        -timeout=$HANG_SECONDS -rss_limit_mb=$MEMORY_MB -max_len=8192 \
        -print_final_stats=1 -artifact_prefix="$artifacts/" "${options[@]}" \
        "${corpora[@]}" >"$log" 2>&1 || status=$?
    local covered
    covered=$(figure "$log" 'cov')
    printf 'fuzz: %-14s %10s executions %7s/s  coverage %6s  corpus %5s  seed %s\n' "$target" \
        "$(figure "$log" 'stat::number_of_executed_units')" \
        "$(figure "$log" 'stat::average_exec_per_sec')" "$covered" "$(figure "$log" 'corp')" "$seed"
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
