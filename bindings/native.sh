# For the scripts of the bindings, to be sourced: where the native library is.
: "${GIGACHAT_PREFIX:?names where libgigachat is installed}"

GIGACHAT_LIBRARY="$GIGACHAT_PREFIX/lib/libgigachat.so.0"
PKG_CONFIG_PATH="$GIGACHAT_PREFIX/lib/pkgconfig"
LD_LIBRARY_PATH="$GIGACHAT_PREFIX/lib"
export GIGACHAT_LIBRARY PKG_CONFIG_PATH LD_LIBRARY_PATH

# Java 22 or newer, where the machine's java is older.
if [ -z "${JAVA_HOME:-}" ]; then
    for home in /usr/lib/jvm/*; do
        version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null || true)
        if [ "${version:-0}" -ge 22 ]; then
            JAVA_HOME=$home
            export JAVA_HOME
        fi
    done
fi
