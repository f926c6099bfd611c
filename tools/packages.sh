#!/usr/bin/env bash
# Builds what users install, for this machine's platform, into build/packages, and tries each from outside: a
# fresh project installs the package's file and runs the program of its README against the emulator.
#
#   tools/packages.sh            builds and tries
#
#   GIGACHAT_PREFIX, GIGACHAT_EMULATOR   the installed library, the emulator
#   LANGUAGES                            which, "go node java" without it
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
out=$root/build/packages
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
. bindings/native.sh

# The program of a README: its first block in a language, with a question that the emulator can answer.
program() { # program FILE LANGUAGE
    awk -v fence="\`\`\`$2" '$0 == fence { on = 1; next } /^```/ { if (on) exit } on' "$1" |
        sed 's/What is [A-Za-z]*?/repeat: hello/'
}

emulated() { "$GIGACHAT_EMULATOR" --quiet -- "$@"; }

says_hello() { # says_hello LANGUAGE TEXT
    [ "$2" = hello ] || { echo "packages: the program of the $1 README says: $2" >&2; exit 1; }
    echo "packages: $1, from outside: works"
}

# A module proxy in files: the zip that `go get` takes.
go_package() {
    local module=github.com/libgigachat/libgigachat/bindings/go
    local to=$out/go/$module/@v
    mkdir -p "$to"
    cp bindings/go/go.mod "$to/v$version.mod"
    printf '{"Version":"v%s"}\n' "$version" >"$to/v$version.info"
    printf 'v%s\n' "$version" >"$to/list"
    (cd bindings/go && git ls-files .) | python3 -c '
import sys, zipfile
folder, prefix, archive = sys.argv[1:]
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
    for name in sys.stdin.read().split("\n"):
        if name:
            z.write(f"{folder}/{name}", f"{prefix}/{name}")
' bindings/go "$module@v$version" "$to/v$version.zip"
    mkdir "$scratch/go"
    program bindings/go/README.md go >"$scratch/go/main.go"
    (
        cd "$scratch/go"
        export GOPROXY=file://$out/go GONOSUMDB='*' GOFLAGS=-mod=mod GOMODCACHE=$scratch/modules
        go mod init example >/dev/null 2>&1
        go get "$module@v$version" >/dev/null 2>&1
        go build -o program .
        says_hello Go "$(emulated ./program)"
    )
}

# The package, and the one of this platform that holds the library.
node_package() {
    local name platform=$scratch/platform
    name=linux-$(node -p process.arch)-gnu
    mkdir -p "$out/node" "$platform"
    cp "$GIGACHAT_LIBRARY" LICENSE* "$platform"
    strip --strip-unneeded "$platform/libgigachat.so.0" 2>/dev/null || true
    echo "module.exports = require('node:path').join(__dirname, 'libgigachat.so.0');" >"$platform/index.js"
    cat >"$platform/package.json" <<JSON
{
  "name": "@libgigachat/$name", "version": "$version", "license": "MIT OR Apache-2.0",
  "description": "The native library of the package libgigachat, for $name.",
  "os": ["linux"], "cpu": ["$(node -p process.arch)"], "libc": ["glibc"], "main": "index.js"
}
JSON
    npm pack --silent --pack-destination "$out/node" "$platform" >/dev/null
    # The package that is shipped names those of the platforms; here they are in no registry.
    cp -r bindings/node "$scratch/package"
    rm -rf "$scratch/package/node_modules"
    (cd "$scratch/package" && npm pkg set "optionalDependencies.@libgigachat/$name=$version")
    npm pack --silent --pack-destination "$out/node" "$scratch/package" >/dev/null
    mkdir "$scratch/node"
    program bindings/node/README.md js >"$scratch/node/program.mjs"
    (
        cd "$scratch/node"
        npm init --yes >/dev/null
        npm install --silent --no-audit --no-fund "$out/node/libgigachat-$name-$version.tgz" \
            "$out/node/libgigachat-$version.tgz" >/dev/null
        unset GIGACHAT_LIBRARY LD_LIBRARY_PATH
        says_hello Node "$(emulated node program.mjs)"
    )
}

# The jar, and the classifier jar that holds this platform's library.
java_package() {
    local arch natives=$scratch/natives gson
    arch=$("$JAVA_HOME/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/.*os.arch = //p')
    mkdir -p "$out/java" "$natives/natives/linux-$arch"
    cp "$GIGACHAT_LIBRARY" "$natives/natives/linux-$arch"
    strip --strip-unneeded "$natives/natives/linux-$arch/libgigachat.so.0" 2>/dev/null || true
    (cd bindings/java && mvn --batch-mode --quiet -DskipTests package dependency:build-classpath \
        -DincludeScope=runtime -Dmdep.outputFile=target/runtime-classpath >/dev/null)
    cp "bindings/java/target/gigachat-$version.jar" "$out/java"
    "$JAVA_HOME/bin/jar" --create --file "$out/java/gigachat-$version-natives-linux-$arch.jar" -C "$natives" natives
    gson=$(cat bindings/java/target/runtime-classpath)
    mkdir "$scratch/java"
    program bindings/java/README.md java >"$scratch/java/Program.java"
    (
        cd "$scratch/java"
        unset GIGACHAT_LIBRARY LD_LIBRARY_PATH
        says_hello Java "$(emulated "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED \
            -cp "$out/java/*:$gson" Program.java)"
    )
}

for language in ${LANGUAGES:-go node java}; do
    rm -rf "${out:?}/$language"
    "${language}_package"
done
