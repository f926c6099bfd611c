#!/usr/bin/env bash
# The packages of bindings/: Go, Node, Java.
#
#   tools/languages.sh setup          installs what is missing to build and test them
#   tools/languages.sh test           their tests, then the short fault matrix through each
#   tools/languages.sh test-short     their tests with smaller loads
#   tools/languages.sh generate       writes what they have from api/gigachat.json
#
#   GIGACHAT_PREFIX, GIGACHAT_EMULATOR   for the tests: the installed library, the emulator
#   LANGUAGES                            which, "go node java" without it
#   LANGUAGES_REQUIRED=1                 a language whose tools are missing is a failure
set -euo pipefail
cd "$(dirname "$0")/.."
languages=${LANGUAGES:-go node java}

jdk() { # the JDK of 22 or newer; nothing when there is none
    local home
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
        [ -x "$home/bin/javac" ] && [ "$(major "$home/bin/javac" -version)" -ge 22 ] && echo "$home" && return
    done
    return 1
}

major() { # the first number that a command says
    "$@" 2>&1 | grep -oE '[0-9]+' | head -n 1 || echo 0
}

lacks() { # what a language lacks; nothing when it can be tested
    case $1 in
    go)
        if ! command -v go >/dev/null || ! command -v gcc >/dev/null; then
            echo "Go of 1.23 or newer and a C compiler"
        fi ;;
    node)
        if ! command -v npm >/dev/null || [ "$(major node --version)" -lt 20 ]; then
            echo "Node of 20 or newer and npm"
        fi ;;
    java)
        if ! command -v mvn >/dev/null || ! jdk >/dev/null; then
            echo "a JDK of 22 or newer and Maven"
        fi ;;
    esac
}

# Debian's packages: those of 13 are new enough; of 12 only Node's packager and Maven are.
packages() {
    case $1 in
    go) echo golang-go gcc pkg-config ;;
    node) echo nodejs npm ;;
    java) echo maven openjdk-25-jdk-headless ;;
    esac
}

setup() {
    local language missing as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    for language in $languages; do
        missing=$(lacks "$language")
        [ -n "$missing" ] || continue
        if ! command -v apt-get >/dev/null; then
            echo "languages: for $language please install $missing" >&2
            continue
        fi
        "${as_root[@]}" apt-get update -qq
        # shellcheck disable=SC2046 # one word a package
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" \
            apt-get install -y -qq --no-install-recommends $(packages "$language") >/dev/null ||
            echo "languages: for $language please install $missing by hand" >&2
    done
}

tests() { # tests short|whole
    local language missing tested="" left_out=0
    for language in $languages; do
        missing=$(lacks "$language")
        if [ -n "$missing" ]; then
            echo "languages: $language IS LEFT OUT, it needs $missing: make setup-languages" >&2
            left_out=1
            continue
        fi
        echo "languages: $language"
        LOADS=$1 "bindings/$language/test.sh"
        tested="$tested,$language"
    done
    if [ "$1" = whole ] && [ -n "$tested" ]; then
        MATRIX=short MATRIX_LANGUAGES=${tested#,} python3 tests/behaviour/test_matrix.py
    fi
    [ "$left_out" = 0 ] || [ -z "${LANGUAGES_REQUIRED:-}" ]
}

case ${1:-} in
setup) setup ;;
test) tests whole ;;
test-short) tests short ;;
generate)
    (cd bindings/go && go run ./internal/generate ../../api/gigachat.json >build.generated && mv build.generated generated.go)
    node bindings/node/generate.mjs
    python3 bindings/java/generate.py
    ;;
*) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
