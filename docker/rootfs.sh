#!/usr/bin/env bash
# rootfs.sh OUT_TAR PACKAGE...: the root file system that base images stand on, for `docker import`,
# where no container registry answers. Made of the packages of the Debian or Ubuntu that it runs on,
# as root. Progress goes to stderr. Exit 2: wrong arguments; 3: this machine or its mirror cannot do
# it. UV_BIN names the uv to put inside (default: that of the checkout's .venv, else of PATH).
set -euo pipefail
umask 022

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly system_packages=(bash coreutils procps patch git ca-certificates)
step=""

say() { printf 'rootfs: %s (%s s)\n' "$*" "$SECONDS" >&2; }

give_up() {
    printf 'rootfs: %s\n' "$1" >&2
    exit "${2:-3}"
}

# A long step in a session of its own: a signal to this script ends it and all that it started.
interruptible() {
    setsid "$@" &
    step=$!
    local status=0
    wait "$step" || status=$?
    step=""
    return "$status"
}

remove_scratch() {
    if [ -n "$step" ]; then
        kill -TERM -- "-$step" 2>/dev/null || true
        wait "$step" || true
    fi
    # A bootstrap that was killed may leave /dev or /proc of this machine mounted below.
    awk -v below="$scratch/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r \
        | xargs -r umount -l || true
    rm -rf --one-file-system "$scratch"
}

# The http mirror that apt uses for suite $1; nothing leaves the choice to the bootstrap.
suite_mirror() {
    # shellcheck disable=SC2016 # apt expands these itself
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
        2>/dev/null | awk -v suite="$1" '$1 ~ /^https?:/ && $2 == suite && $3 == "main" {
            print $1; exit }'
}

# Packages $3... of suite $2 into directory $1.
install_packages() {
    local root="$1" suite="$2" mirror include
    shift 2
    include="$(IFS=,; printf '%s' "$*")"
    mirror="$(suite_mirror "$suite")"
    if ! command -v mmdebstrap >/dev/null && ! command -v debootstrap >/dev/null; then
        say "installing mmdebstrap"
        "$here/apt_install.sh" mmdebstrap 2>/dev/null || "$here/apt_install.sh" debootstrap \
            || give_up "neither mmdebstrap nor debootstrap could be installed; see above"
    fi
    say "installing the packages of $suite"
    if command -v mmdebstrap >/dev/null; then
        interruptible mmdebstrap --quiet --mode=root --variant=apt --include="$include" \
            --aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/info/*' \
            --dpkgopt='path-exclude=/usr/share/locale/*' \
            "$suite" "$root" ${mirror:+"$mirror"}
    else
        interruptible debootstrap --variant=minbase --include="$include" "$suite" "$root" ${mirror:+"$mirror"}
    fi >"$scratch/packages.log" 2>&1 </dev/null || {
        tail -n 15 "$scratch/packages.log" >&2
        give_up "the packages of $suite could not be installed; see above"
    }
}

# Leaves nothing of the build, and the places where tasks put their repository.
finish() {
    local root="$1"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
        "$root"/var/cache/debconf/*-old "$root"/var/log/*.log "$root"/var/log/apt \
        "$root"/tmp/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
        "$root"/usr/share/info/* "$root"/usr/share/locale/*
    : >"$root/etc/resolv.conf"
    : >"$root/etc/hosts"
    rm -f "$root/etc/hostname"
    mkdir -p "$root/workspace"
    ln -sfn /testbed "$root/workspace/project"
}

main() {
    [ $# -ge 1 ] || give_up "usage: rootfs.sh OUT_TAR PACKAGE..." 2
    local out="$1" suite root uv_bin
    shift
    [ "$(id -u)" -eq 0 ] || give_up "a base image without a registry can be made by root only"
    command -v apt-get >/dev/null \
        || give_up "a base image without a registry can be made on Debian or Ubuntu only"
    # shellcheck disable=SC1091
    suite="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
    [ -n "$suite" ] || give_up "/etc/os-release does not name the suite (VERSION_CODENAME)"
    uv_bin="${UV_BIN:-$here/../.venv/bin/uv}"
    [ -x "$uv_bin" ] || uv_bin="$(command -v uv)" || give_up "no uv found: set UV_BIN" 2
    export HOME="${HOME:-/root}"

    scratch="$(mktemp -d "$(dirname "$out")/.rootfs.XXXXXX")"
    trap remove_scratch EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    root="$scratch/root"

    install_packages "$root" "$suite" "${system_packages[@]}" "$@"
    cp "$uv_bin" "$root/usr/local/bin/uv"
    finish "$root"
    say "packing"
    tar -C "$root" --numeric-owner --one-file-system --create --file "$scratch/root.tar" .
    mv "$scratch/root.tar" "$out"
    say "made $out"
}

main "$@"
