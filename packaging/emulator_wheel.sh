#!/usr/bin/env bash
# Builds the emulator's wheel into build/packages/emulator and tries it from outside: in a fresh environment its
# pytest fixture serves a test whose client is Python's own HTTP, with TLS verified.
#
#   packaging/emulator_wheel.sh      PROFILE (release), PYTHON (python3), CARGO_TARGET_DIR
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
python=${PYTHON:-python3}
out=$root/build/packages/emulator
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" -m venv "$scratch/build"
"$scratch/build/bin/pip" install --quiet --disable-pip-version-check -r bindings/python/requirements-build.txt
rm -rf "$out"
"$scratch/build/bin/maturin" build --profile "${PROFILE:-release}" --quiet --locked \
    --manifest-path tests/emulator/Cargo.toml --out "$out"

"$python" -m venv "$scratch/fresh"
"$scratch/fresh/bin/pip" install --quiet --disable-pip-version-check "$out"/*.whl pytest
mkdir "$scratch/project"
cp tests/emulator/python/example_test.py "$scratch/project/test_example.py"
(cd "$scratch/project" && "$scratch/fresh/bin/python" -m pytest -q -p no:cacheprovider)
ls -l "$out"/*.whl
