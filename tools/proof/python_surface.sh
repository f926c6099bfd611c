#!/bin/sh
# Proof: whatever is called of the Python package's public surface, with whatever arguments, the
# process lives, no call hangs, and what is raised is an exception that a program may expect
# (tests/surface/drive.py).
#
#     tools/proof/python_surface.sh [CALLS [SEED]]        20000 and 1 by default
#
# First a crash and a foreign exception that are planted must be noticed. GIGACHAT_PYTHON is an interpreter that has the wheel.
set -eu
cd "$(dirname "$0")/../.."
python=${GIGACHAT_PYTHON:-python3}
for plant in crash foreign; do
    if "$python" tests/surface/drive.py 500 1 --plant "$plant" >/dev/null 2>&1; then
        echo "python surface: the planted $plant was not noticed" >&2
        exit 1
    fi
done
exec "$python" tests/surface/drive.py "${1:-20000}" "${2:-1}"
