# Sourced by the sanitizers' proofs: builds the library with a sanitizer in every crate of it.
#
#     build_sanitized thread|address cdylib|staticlib    then: $library $runtime $folder
#
# On the stable toolchain: the flag is unstable, hence RUSTC_BOOTSTRAP, but the runtimes come with
# it. The standard library stays as it is, without the sanitizer. With --target, build scripts and
# macros, which run inside the compiler, stay without it, too. No release build: symbols are wanted.

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

fail() {
    echo "$(basename "$0" .sh): $*" >&2
    exit 1
}

build_sanitized() {
    sanitizer=$1
    target=$(rustc -vV | sed -n 's/^host: //p')
    folder=${CARGO_TARGET_DIR:-$root/target}/sanitizers/$sanitizer
    case $sanitizer in
        address) runtime=asan ;;
        thread) runtime=tsan ;;
    esac
    runtime=$(find "$(rustc --print sysroot)/lib/rustlib/$target/lib" -name "librustc*_rt.$runtime.a")
    [ -n "$runtime" ] || fail "this toolchain has no runtime of the $sanitizer sanitizer"
    RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_TARGET_DIR=$folder \
        RUSTFLAGS="-Zsanitizer=$sanitizer -Cunsafe-allow-abi-mismatch=sanitizer" \
        cargo rustc --quiet --locked --lib --crate-type "$2" --features test-hooks --target "$target"
    case $2 in
        cdylib) library=$folder/$target/debug/libgigachat.so ;;
        staticlib) library=$folder/$target/debug/libgigachat.a ;;
    esac
}

# The emulator as it is, without a sanitizer: $emulator.
build_emulator() {
    emulator=${GIGACHAT_EMULATOR:-}
    if [ -z "$emulator" ]; then
        emulator=$(tools/emulator.sh)
    fi
}
