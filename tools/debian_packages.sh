# To be sourced: installs Debian packages that a script needs. `as_root` is how to run a command as root.

missing=()
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

# need PACKAGE COMMAND...: the package is missing unless the command succeeds.
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

# Installs what is missing; on another system than Debian the list is printed and the command goes on without.
install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: this is not Debian; please install what these Debian packages contain: ${missing[*]}" >&2
        return 0
    fi
    echo "setup: installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    missing=()
}
