#!/bin/sh
# Conformance with multi-llm-orchestrator, the ancestor: its names and signatures (surface.py), and
# its own tests of router, base, metrics, mock, streaming and LangChain run against our wheel.
# Nothing of the ancestor is kept in this repository.
#
# The names come from the published 0.9.1, which has no tests in it; the tests from the newest
# public commit of its repository, 0.7.0. Each test file runs in a process of its own, since one of
# them leaves a reloaded module behind.
#
#   bindings/python/conformance/run.sh [pytest arguments]
#
# CONFORMANCE_SOURCE  where git finds the ancestor's repository (a folder, if there is no network)
# PYTHON, CARGO_TARGET_DIR, PYTHON_WORK_DIR, WHEEL: see ../build-for-tests.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-python3}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
work=${PYTHON_WORK_DIR:-$CARGO_TARGET_DIR/python}
source=${CONFORMANCE_SOURCE:-https://github.com/MikhailMalorod/Multi-LLM-Orchestrator}
commit=e2965dc2e5c0bf068f8739a7d18d81b399f5e2d8
files="test_base_provider test_integration test_langchain_compat test_metrics test_mock_provider
    test_router test_streaming"

say() { printf '\n== %s\n' "$*"; }

say "the wheel"
wheel=$("$here/../build-for-tests.sh")

say "a fresh environment"
rm -rf "$work/conformance"
"$python" -m venv "$work/conformance/venv"
pip="$work/conformance/venv/bin/pip"
"$pip" install --quiet --disable-pip-version-check --no-index --no-deps "$wheel"
"$pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"

say "names and signatures of 0.9.1"
"$pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --dest "$work/conformance" -r "$here/ancestor.txt"
cd "$work/conformance"
"$python" -m zipfile -e multi_llm_orchestrator-*.whl published
venv/bin/python -I "$here/surface.py" published/orchestrator

say "its tests"
# A commit's id is the hash of all that is in it, so that this is what was looked at.
git init --quiet --bare tests.git
git -C tests.git fetch --quiet --depth 1 "$source" "$commit"
git -C tests.git archive --prefix=ancestor/ "$commit" tests | tar -x
printf '[pytest]\nasyncio_mode = auto\n' >ancestor/pytest.ini
cd ancestor
failed=
for file in $files; do
    PYTHONPATH="$here" ../venv/bin/python -m pytest -q -p plugin -p no:cacheprovider --timeout 60 \
        "tests/$file.py" "$@" || failed="$failed $file"
done
if [ -n "$failed" ]; then
    echo "not as $here/exceptions.txt says:$failed" >&2
    exit 1
fi
