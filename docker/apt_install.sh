#!/usr/bin/env bash
# apt_install.sh PACKAGE...: installs Debian packages as root, quietly; fetches the lists of
# packages only where those on the machine do not do. Exit 3 with apt's last lines otherwise.
set -euo pipefail

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive

install() {
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" \
        >"$log" 2>&1 </dev/null
}

install "$@" && exit 0
apt-get update -o DPkg::Lock::Timeout=120 >"$log" 2>&1 </dev/null || true
update_tail="$(tail -n 5 "$log")"
install "$@" && exit 0
printf 'apt-get could not install %s\n%s\n' "$*" "$update_tail" >&2
tail -n 15 "$log" >&2
exit 3
