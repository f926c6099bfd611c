#!/bin/sh
# The fault matrix's driver: driver.sh build, then driver.sh run (tests/behaviour).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../native.sh"
case $1 in
build)
    cd "$here"
    mvn --batch-mode --quiet test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
    ;;
run)
    exec "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED \
        -cp "$here/target/classes:$here/target/test-classes:$(cat "$here/target/classpath")" \
        io.github.libgigachat.MatrixDriver
    ;;
esac
