#!/usr/bin/env bash
# Builds the Debian packages into build/debian and judges them: lintian finds nothing, and in a fresh
# root, which has nothing else of ours, C and C++ programs are built by pkg-config and CMake, answer,
# and are gone with the packages.
#
#   packaging/debian.sh            builds and judges; the fresh root needs root, by sudo where it must
#   packaging/debian.sh build      builds, and asks lintian only
#
# Installs debhelper, lintian and debootstrap where they are missing. The fresh root is made from the
# machine's own package sources and its own release of Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
out=$root/build/debian
form=${1:-judge}
. tools/debian_packages.sh

need debhelper command -v dh
need dpkg-dev command -v dpkg-buildpackage
need lintian command -v lintian
[ "$form" = build ] || need debootstrap command -v debootstrap
install_missing

rm -rf "$out"
tree=$out/tree/libgigachat
mkdir -p "$tree"
cp -r packaging/debian "$tree/debian"
(cd "$tree" && GIGACHAT_SOURCE=$root CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} dpkg-buildpackage -b -us -uc -d)
mv "$out"/tree/*.deb "$out"
mv "$out"/tree/*.changes "$out"/tree/*.buildinfo "$out"
rm -rf "$out/tree"
lintian --fail-on error,warning "$out"/*.changes
echo "debian: lintian finds nothing"
[ "$form" != build ] || exit 0

fresh=$(mktemp -d)
trap '"${as_root[@]}" rm -rf --one-file-system "$fresh"' EXIT
. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(SUITE)' 'Created-By: Packages' |
    awk -v suite="$VERSION_CODENAME" '$2 == suite { print $1; exit }')
"${as_root[@]}" debootstrap --variant=minbase --include=ca-certificates \
    "$VERSION_CODENAME" "$fresh" "$mirror" >"$out/debootstrap.log"
"${as_root[@]}" cp /etc/resolv.conf "$fresh/etc/resolv.conf"
"${as_root[@]}" cp -r tests/consumer "$out"/*.deb "$fresh/root"

# Everything of the packages, before and after: programs of the root itself, run as a user would.
"${as_root[@]}" chroot "$fresh" /bin/sh -eu <<'PROGRAM'
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
cd /root
apt-get update -qq
apt-get install -y -qq --no-install-recommends gcc g++ libc6-dev make pkg-config cmake >/dev/null 2>&1
find / -xdev -path /proc -prune -o -iname '*gigachat*' -print | sort >/tmp/before

apt-get install -y -qq --no-install-recommends ./*.deb >/dev/null 2>&1
cc -std=c99 consumer/ask.c -o ask-pkg-config $(pkg-config --cflags --libs gigachat)
c++ -std=c++17 consumer/ask.cpp -o ask-pkg-config-cpp $(pkg-config --cflags --libs gigachat) -pthread
cc -std=c99 -DGIGACHAT_STATIC consumer/ask.c -o ask-static $(pkg-config --cflags gigachat) \
    -Wl,-Bstatic $(pkg-config --libs-only-l gigachat) -Wl,-Bdynamic -lm -lpthread -ldl -lgcc_s
cmake -S consumer/cmake -B cmake >/dev/null
cmake --build cmake >/dev/null
for program in ./ask-pkg-config ./ask-pkg-config-cpp ./ask-static cmake/ask-c cmake/ask-cpp-static; do
    said=$(gigachat-emulator --quiet -- "$program")
    case $said in
        "hello from C" | "hello from C++") echo "debian: $program answers" ;;
        *) echo "debian: $program says: $said" >&2 && exit 1 ;;
    esac
done

apt-get purge -y -qq libgigachat0 libgigachat-dev gigachat-emulator >/dev/null 2>&1
rm -rf cmake
find / -xdev -path /proc -prune -o -iname '*gigachat*' -print | sort >/tmp/after
diff /tmp/before /tmp/after || { echo "debian: the removal left files" >&2; exit 1; }
echo "debian: the removal leaves nothing"
PROGRAM
ls -l "$out"/*.deb
