#!/usr/bin/env bash
# Builds the site into build/docs/site: English and Russian, with search. Fails on a warning, on an item of the
# header without a comment, and on a link that leads nowhere.
#
#   tools/docs.sh        PYTHON (python3); installs Sphinx into build/docs, doxygen by tools/setup.sh
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/docs
tools/setup.sh test
mkdir -p "$out"

if ! cmp -s docs/requirements.txt "$out/installed"; then
    "${PYTHON:-python3}" -m venv --clear "$out/venv"
    "$out/venv/bin/pip" install --quiet --disable-pip-version-check -r docs/requirements.txt
    cp docs/requirements.txt "$out/installed"
fi

rm -rf "$out/xml" "$out/site"
{
    cat docs/Doxyfile
    printf 'OUTPUT_DIRECTORY = %s\nGENERATE_XML = YES\nGENERATE_HTML = NO\n' "$out"
} | doxygen -
GIGACHAT_DOXYGEN_XML=$out/xml "$out/venv/bin/sphinx-build" --quiet --fail-on-warning --keep-going \
    --builder html --doctree-dir "$out/doctrees" docs "$out/site"
"$out/venv/bin/python" tools/dead_links.py "$out/site"
echo "docs: $out/site/index.html"
