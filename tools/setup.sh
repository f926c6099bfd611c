#!/usr/bin/env bash
# Installs what the repository's commands need beside a Rust toolchain, a C compiler and Python:
# clang and cmake (header matrix, CMake consumer), pkg-config, valgrind, libcurl (benchmark peer),
# abidiff and libfaketime (proofs).
# Does nothing when all of it is there. Needs Debian's package manager and root or sudo only when
# something is missing.
set -euo pipefail

missing=()
need() { # need PACKAGE COMMAND...: the package is missing unless the command succeeds
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

need clang command -v clang
need cmake command -v cmake
need pkg-config command -v pkg-config
need valgrind command -v valgrind
need abigail-tools command -v abidiff
need libfaketime test -e /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
need libcurl4-openssl-dev pkg-config --exists libcurl

[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install: ${missing[*]}" >&2
    exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
