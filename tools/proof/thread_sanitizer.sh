#!/bin/sh
# Proof: sixteen threads that do everything at once (tests/hammer) make no data race.
#
#     tools/proof/thread_sanitizer.sh [SECONDS [SEED]]        30 and 1 by default; "build" only builds
#
# The seed decides what each thread does; the order among the threads is the machine's.
# Library and hammer are compiled with the thread sanitizer. No report is suppressed; what the
# sanitizer cannot see is told to it (tests/sanitizers/unseen_order.rs). First a race that is
# planted in the library must be found in the midst of the same load, or else the proof fails.
set -eu

. "$(dirname "$0")/sanitized_library.sh"
seconds=${1:-30}
seed=${2:-1}
build_sanitized thread staticlib
build_emulator
[ "$seconds" != build ] || exit 0
out=$folder/hammer
rm -rf "$out"
mkdir -p "$out"

# What unseen_order.rs tells of `Arc` must not hide a decrement of ours.
if grep -rn 'fetch_sub(.*Release)' src core/src; then
    fail "these decrements would count as acquiring, too; make them acquire-release"
fi

# The mangled name of a function of the standard library, by the end of its path.
readelf -sW "$library" | awk '$4 == "FUNC" && $5 == "GLOBAL" && $7 != "UND" { print $8 }' |
    grep 3std3sys4sync | sort -u >"$out/names"
wraps="-Wl,--wrap=__tsan_atomic64_fetch_sub -Wl,--wrap=epoll_ctl -Wl,--wrap=epoll_wait"
cp tests/sanitizers/unseen_order.rs "$out/unseen_order.rs"
tell_of() { # tell_of PLACEHOLDER PATH
    name=$(grep -E "$2\$" "$out/names") || fail "the standard library has no $2 any more: see unseen_order.rs"
    [ "$(echo "$name" | wc -l)" -eq 1 ] || fail "the standard library has several $2: see unseen_order.rs"
    wraps="$wraps -Wl,--wrap=$name"
    sed "s/@$1@/$name/" "$out/unseen_order.rs" >"$out/filled"
    mv "$out/filled" "$out/unseen_order.rs"
}
tell_of MUTEX_LOCK '5mutex5futex.*14lock_contended'
tell_of RWLOCK_READ '6rwlock5futex.*14read_contended'
tell_of RWLOCK_WRITE '6rwlock5futex.*15write_contended'
tell_of CONDVAR_WAIT '7condvar5futex.*4wait'
tell_of CONDVAR_WAIT_TIMEOUT '7condvar5futex.*12wait_timeout'
tell_of ONCE_CALL '4once5futex.*4call'
rustc --edition 2024 --crate-type lib --emit obj -O -o "$out/unseen_order.o" "$out/unseen_order.rs"

# Linked without -fsanitize, which would add the C compiler's runtime to the Rust one.
cc=${CC:-gcc}
"$cc" -std=c99 -g -O1 -fsanitize=thread -Iinclude -c tests/hammer/hammer.c -o "$out/hammer.o"
# shellcheck disable=SC2086 # the wraps are words
"$cc" -o "$out/hammer" "$out/hammer.o" "$out/unseen_order.o" $wraps "$library" \
    -rdynamic -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -lgcc_s -lutil -lrt -lpthread -lm -ldl
readelf -sW "$out/hammer" | grep -q ' __tsan_init$' || fail "the sanitizer is not linked in"

hammer() { # hammer NAME ARGUMENT...: its output in NAME.out, the sanitizer's reports in NAME.log.*
    name=$1
    shift
    TSAN_OPTIONS="exitcode=66 history_size=4 allow_addr2line=1 log_path=$out/$name.log" \
        "$emulator" --quiet --concurrency 0 --no-rate-limit -- "$out/hammer" "$@" \
        >"$out/$name.out" 2>&1
}

status=0
hammer planted 5 race || status=$?
if [ "$status" -ne 66 ] || ! grep -q 'data race.*gigachat__test_fault' "$out"/planted.log.*; then
    tail "$out/planted.out"
    fail "the sanitizer did not find the race that is planted in the library (status $status)"
fi
status=0
hammer whole "$seconds" whole "$seed" || status=$?
if [ "$status" -ne 0 ]; then
    tail -n 20 "$out/whole.out"
    cat "$out"/whole.log.* 2>/dev/null | head -n 200
    fail "status $status"
fi
echo "thread sanitizer: no race; the planted one found; $(sed -n 's/^hammer: //p' "$out/whole.out")"
