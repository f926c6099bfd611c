#!/bin/sh
# Builds the emulator for tests and says where it is.
#
#   emulator=$(tools/emulator.sh)
#
# Together with the soak, in one choice of the whole workspace: cargo then takes the features that
# `cargo test --workspace` takes, so dependencies that are compiled for one serve the other.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
cargo build --quiet --locked --workspace --bin gigachat-emulator --example soak >&2
case ${CARGO_TARGET_DIR:-} in
    "") echo "$root/target/debug/gigachat-emulator" ;;
    /*) echo "$CARGO_TARGET_DIR/debug/gigachat-emulator" ;;
    *) echo "$root/$CARGO_TARGET_DIR/debug/gigachat-emulator" ;;
esac
