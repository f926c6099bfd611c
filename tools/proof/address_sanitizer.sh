#!/bin/sh
# Proof: the C and C++ tests read and write no memory that is not theirs, and lose none
# (tests/sanitizers/address.py), library and tests compiled with the address and leak sanitizers.
#
#     tools/proof/address_sanitizer.sh         "build" only builds
set -eu

. "$(dirname "$0")/sanitized_library.sh"
build_sanitized address cdylib
build_emulator
[ "${1:-}" != build ] || exit 0

readelf -sW "$library" | grep -q 'UND __asan_init$' || fail "the library is without the sanitizer"
prefix=$folder/prefix
rm -rf "$prefix"
mkdir -p "$prefix/lib"
cp -R include "$prefix/include"
for name in libgigachat.so libgigachat.so.0; do
    ln -s "$library" "$prefix/lib/$name"
done

if ! GIGACHAT_PREFIX=$prefix GIGACHAT_EMULATOR=$emulator GIGACHAT_SANITIZER=$runtime \
    python3 tests/sanitizers/address.py >"$folder/address.out" 2>&1; then
    cat "$folder/address.out"
    fail "see above"
fi
echo "address and leak sanitizers: no report, the planted ones found; $(sed -n 's/ programs with / programs, /p' "$folder/address.out")"
