#!/usr/bin/env bash
# Reads the header as Doxygen does: fails on an item without a comment and on any warning.
#   tools/reference.sh             checks only
#   tools/reference.sh DIRECTORY   writes the pages to DIRECTORY/html
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-}
if [ -z "$target" ]; then
    target=$(mktemp -d)
    trap 'rm -rf "$target"' EXIT
fi
{ cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $target"; } | doxygen -
echo "reference: every item of include/gigachat.h is documented, without a warning"
