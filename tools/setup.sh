#!/usr/bin/env bash
# Installs what the repository's commands need in addition to a Rust toolchain and Python:
#
#   tools/setup.sh         what building and `make demo` need: a C and a C++ compiler
#   tools/setup.sh test    also what tests, proofs and benchmarks need: clang and cmake (header matrix, CMake
#                          consumer), pkg-config, doxygen, valgrind, libcurl (benchmark peer), abidiff and
#                          libfaketime (proofs)
#
# Does nothing when all of it is there. Debian's package manager, as root or through sudo, installs
# what is missing; on another system the list is printed and the command goes on without.
set -euo pipefail

what=${1:-build}
case $what in build | test) ;; *) echo "usage: $0 [test]" >&2; exit 2 ;; esac

. "$(dirname "$0")/debian_packages.sh"

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: there is no Rust toolchain; see https://rustup.rs" >&2
    exit 1
fi
need gcc command -v cc
need g++ command -v c++
if [ "$what" = test ]; then
    need clang command -v clang
    need cmake command -v cmake
    need pkg-config command -v pkg-config
    need doxygen command -v doxygen
    need valgrind command -v valgrind
    need abigail-tools command -v abidiff
    need libfaketime sh -c 'ls /usr/lib/*/faketime/libfaketime.so.1'
    need libcurl4-openssl-dev pkg-config --exists libcurl
fi

install_missing
