#!/bin/sh
# Builds the library and installs it where a C or C++ programmer expects it:
#
#     packaging/install.sh [--shared-only] [--with PACKAGE] PREFIX
#
# shared and static library, the headers, a pkg-config file and a CMake package; the tree can be
# moved as a whole. For ELF systems; distributions may use `cargo cinstall` instead.
#
# --shared-only installs the shared library and the headers only. --with then builds a package of
# the workspace in the same run of cargo, so that what both depend on is compiled once.
#
# Environment: PROFILE (release), DESTDIR, CARGO_TARGET_DIR, CARGO_BUILD_TARGET, CARGO.
set -eu

shared_only=
with=
while [ $# -gt 1 ]; do
    case $1 in
        --shared-only) shared_only=yes && shift ;;
        --with) with=$2 && shift 2 ;;
        *) break ;;
    esac
done
if [ $# -ne 1 ] || [ "${1#-}" != "$1" ] || [ "${with:+$shared_only}" != "${with:+yes}" ]; then
    echo "usage: $0 [--shared-only [--with PACKAGE]] PREFIX" >&2
    exit 2
fi
case $1 in
    /*) prefix=$1 ;;
    *) prefix=$(pwd)/$1 ;;
esac
case ${CARGO_TARGET_DIR:-} in
    "") ;;
    /*) ;;
    *) CARGO_TARGET_DIR=$(pwd)/$CARGO_TARGET_DIR && export CARGO_TARGET_DIR ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

cargo=${CARGO:-cargo}
profile=${PROFILE:-release}
case $profile in
    dev | test) folder=debug ;;
    bench) folder=release ;;
    *) folder=$profile ;;
esac
artefacts=${CARGO_TARGET_DIR:-$root/target}${CARGO_BUILD_TARGET:+/$CARGO_BUILD_TARGET}/$folder

version=$("$cargo" pkgid --offline --package libgigachat | sed 's/.*[#@]//')
soname=$(sed -n 's/.*-soname,\(libgigachat\.so\.[0-9]*\).*/\1/p' build.rs)
to=${DESTDIR:-}$prefix

install_shared() {
    install -d "$to/include/gigachat" "$to/lib"
    install -m 755 "$artefacts/libgigachat.so" "$to/lib/libgigachat.so.$version"
    ln -sf "libgigachat.so.$version" "$to/lib/$soname"
    ln -sf "$soname" "$to/lib/libgigachat.so"
    install -m 644 include/gigachat.h include/gigachat.hpp "$to/include"
    install -m 644 include/gigachat/*.hpp "$to/include/gigachat"
}

if [ -n "$shared_only" ]; then
    # shellcheck disable=SC2086 # no package or one
    "$cargo" build --locked --profile "$profile" --package libgigachat ${with:+--package $with} --lib ${with:+--bins}
    install_shared
    echo "libgigachat $version, the shared library, is installed in $to"
    exit
fi

# Both libraries in one run of the compiler, so that a release optimises the whole once. What a
# static program must link besides, by the compiler's own word: cargo repeats the note.
native_libs=$("$cargo" rustc --locked --profile "$profile" --package libgigachat --lib -- \
    --print native-static-libs 2>&1 | tee /dev/stderr |
    sed -n 's/^note: native-static-libs: *//p' | tail -n 1)
if [ -z "$native_libs" ]; then
    echo "$0: the compiler did not say which libraries a static program needs" >&2
    exit 1
fi

url=$(sed -n 's/^repository = "\(.*\)"/\1/p' Cargo.toml)
major=${version%%.*}
rest=${version#*.}
minor=${rest%%.*}
# The ELF class, byte 4 of the file: 1 is 32 bits, 2 is 64.
pointer_bytes=$((4 * $(od -An -tu1 -j4 -N1 "$artefacts/libgigachat.so")))

fill_in() {
    sed -e "s|@VERSION@|$version|g" -e "s|@SONAME@|$soname|g" -e "s|@URL@|$url|g" \
        -e "s|@MAJOR@|$major|g" -e "s|@MINOR@|$minor|g" \
        -e "s|@NATIVE_LIBS@|$native_libs|g" -e "s|@POINTER_BYTES@|$pointer_bytes|g" "$1" >"$2"
    chmod 644 "$2"
}

install_shared
install -d "$to/lib/pkgconfig" "$to/lib/cmake/gigachat"
install -m 644 "$artefacts/libgigachat.a" "$to/lib/libgigachat.a"
fill_in packaging/gigachat.pc.in "$to/lib/pkgconfig/gigachat.pc"
fill_in packaging/cmake/gigachatConfig.cmake.in "$to/lib/cmake/gigachat/gigachatConfig.cmake"
fill_in packaging/cmake/gigachatConfigVersion.cmake.in \
    "$to/lib/cmake/gigachat/gigachatConfigVersion.cmake"
echo "libgigachat $version is installed in $to"
