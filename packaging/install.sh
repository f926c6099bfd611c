#!/bin/sh
# Builds the library and installs it where a C or C++ programmer expects it:
#
#     packaging/install.sh [--shared-only [--with PACKAGE]] PREFIX
#     packaging/install.sh --uninstall PREFIX
#
# shared and static library, the headers, a pkg-config file, a CMake package, licences; the tree can
# be moved as a whole. For ELF systems; distributions may use `cargo cinstall` instead.
#
# --shared-only installs the shared library and the headers only. --with then builds a package of
# the workspace in the same run of cargo, so that what both depend on is compiled once. --uninstall
# builds nothing and removes what was installed with the same PREFIX and the same folders.
#
# Environment: LIBDIR (lib), INCLUDEDIR (include), DOCDIR (share/doc/libgigachat), each below PREFIX,
# as a path with or without it; DESTDIR; PROFILE (release), CARGO_TARGET_DIR, CARGO_BUILD_TARGET,
# CARGO.
set -eu

shared_only=
with=
uninstall=
while [ $# -gt 1 ]; do
    case $1 in
        --shared-only) shared_only=yes && shift ;;
        --uninstall) uninstall=yes && shift ;;
        --with) with=$2 && shift 2 ;;
        *) break ;;
    esac
done
if [ $# -ne 1 ] || [ "${1#-}" != "$1" ] || [ "${with:+$shared_only}" != "${with:+yes}" ]; then
    echo "usage: $0 [--uninstall | --shared-only [--with PACKAGE]] PREFIX" >&2
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

# below PATH: a folder of the installed tree, without the prefix.
below() {
    folder=${1#"${prefix%/}/"}
    case $folder in
        /*) echo "$0: $1 is not below $prefix" >&2 && exit 2 ;;
        *) echo "${folder%/}" ;;
    esac
}
libdir=$(below "${LIBDIR:-lib}")
includedir=$(below "${INCLUDEDIR:-include}")
docdir=$(below "${DOCDIR:-share/doc/libgigachat}")

# up FOLDER: the way from a folder of the tree to its top.
up() {
    echo "$1" | sed 's|[^/][^/]*|..|g'
}

cargo=${CARGO:-cargo}
profile=${PROFILE:-release}
case $profile in
    dev | test) folder=debug ;;
    bench) folder=release ;;
    *) folder=$profile ;;
esac
artefacts=${CARGO_TARGET_DIR:-$root/target}${CARGO_BUILD_TARGET:+/$CARGO_BUILD_TARGET}/$folder

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
soname=$(sed -n 's/.*-soname,\(libgigachat\.so\.[0-9]*\).*/\1/p' build.rs)
to=${DESTDIR:-}$prefix

# place MODE FILE PLACE, link TARGET PLACE: a file of the tree, put there or removed.
place() {
    if [ -n "$uninstall" ]; then
        rm -f "$to/$3"
    else
        install -d "$to/$(dirname "$3")"
        install -m "$1" "$2" "$to/$3"
    fi
}
link() {
    if [ -n "$uninstall" ]; then rm -f "$to/$2"; else ln -sf "$1" "$to/$2"; fi
}

install_shared() {
    place 755 "$artefacts/libgigachat.so" "$libdir/libgigachat.so.$version"
    link "libgigachat.so.$version" "$libdir/$soname"
    link "$soname" "$libdir/libgigachat.so"
    for header in gigachat.h gigachat.hpp gigachat/*.hpp; do
        for file in include/$header; do
            place 644 "$file" "$includedir/${file#include/}"
        done
    done
}

# fill_in TEMPLATE PLACE: a text that knows versions and folders.
fill_in() {
    filled=$artefacts/$(basename "$2")
    [ -n "$uninstall" ] ||
        sed -e "s|@VERSION@|$version|g" -e "s|@SONAME@|$soname|g" -e "s|@URL@|$url|g" \
            -e "s|@MAJOR@|$major|g" -e "s|@MINOR@|$minor|g" \
            -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|$includedir|g" -e "s|@UP@|$(up "$(dirname "$2")")|g" \
            -e "s|@NATIVE_LIBS@|$native_libs|g" -e "s|@POINTER_BYTES@|$pointer_bytes|g" "$1" >"$filled"
    place 644 "$filled" "$2"
}

install_rest() {
    place 644 "$artefacts/libgigachat.a" "$libdir/libgigachat.a"
    fill_in packaging/gigachat.pc.in "$libdir/pkgconfig/gigachat.pc"
    fill_in packaging/cmake/gigachatConfig.cmake.in "$libdir/cmake/gigachat/gigachatConfig.cmake"
    fill_in packaging/cmake/gigachatConfigVersion.cmake.in \
        "$libdir/cmake/gigachat/gigachatConfigVersion.cmake"
    for text in LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md; do
        place 644 "$text" "$docdir/$text"
    done
}

if [ -n "$uninstall" ]; then
    install_shared
    install_rest
    for emptied in "$includedir/gigachat" "$libdir/cmake/gigachat" "$libdir/cmake" "$libdir/pkgconfig" "$docdir"; do
        rmdir "$to/$emptied" 2>/dev/null || true
    done
    echo "libgigachat $version is removed from $to"
    exit
fi

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
    --print native-static-libs 2>&1 |
    awk '{ print | "cat 1>&2" } sub(/^note: native-static-libs: */, "") { named = $0 } END { print named }')
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

install_shared
install_rest
echo "libgigachat $version is installed in $to"
