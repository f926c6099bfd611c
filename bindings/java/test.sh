#!/bin/sh
# The Java package against the emulator: compiles without a warning, tests, documents.
#
#   GIGACHAT_PREFIX      where libgigachat is installed
#   GIGACHAT_EMULATOR    the emulator
#   JAVA_HOME            a JDK of 22 or newer
set -eu
cd "$(dirname "$0")"
. ../native.sh
python3 generate.py --check
"$GIGACHAT_EMULATOR" --quiet --concurrency 0 --no-rate-limit -- mvn --batch-mode --quiet verify
