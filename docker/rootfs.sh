#!/usr/bin/env bash
# rootfs.sh PYTHON_VERSION OUT_TAR: the root file system of a base image, for `docker import`, where
# no container registry answers. Made of the packages of the Debian or Ubuntu that it runs on, as
# root. Python is a CPython of that minor version that this machine has from pyenv or uv, copied to
# the same path, else the distribution's own. Stdout: the minor version that is really inside, e.g.
# 3.10; progress goes to stderr. Exit 2: wrong arguments; 3: this machine or its mirror cannot do it.
# UV_BIN names the uv to put inside (default: that of the checkout's .venv, else of PATH).
set -euo pipefail
umask 022

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly python_packages=(pip pytest)
# Taken as wheels where this Python has them: an old or a very new one may have none.
readonly heavy_packages=(numpy pandas)
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

# The newest CPython of minor version $1 that pyenv or uv has installed here; nothing if none.
installed_python() {
    local uv_pythons="${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}"
    local directory
    for directory in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".[0-9]* \
        "$uv_pythons/cpython-$1".[0-9]*-gnu; do
        if [ ! -L "$directory" ] && [ -x "$directory/bin/python$1" ]; then
            printf '%s\n' "$directory"
        fi
    done | sort -V | tail -n 1
}

# The packages of the shared libraries that the CPython at $1 links. Fails where one is of no package.
linked_packages() {
    local library
    find "$1/bin/python$2" "$1/lib" \( -name '*.so*' -o -name "python$2" \) -type f \
        ! -path '*/site-packages/*' ! -name '_tkinter*' -print0 \
        | xargs -0 ldd 2>/dev/null | awk -v own="$1/" '
            /=> not found/ { exit 1 }
            $2 == "=>" && $3 ~ /^\// && index($3, own) != 1 { print $3 }' | sort -u \
        | while read -r library; do owning_package "$library" || exit 1; done | sort -u
}

# The package of a library; dpkg may know a merged /lib by its old name or by its new one.
owning_package() {
    local owner
    owner="$(dpkg-query -S "/usr${1#/usr}" 2>/dev/null || dpkg-query -S "${1#/usr}" 2>/dev/null)"
    printf '%s\n' "${owner%%:*}"
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

# The CPython at $2 to the same path below $1, without its tests, headers stay for source builds.
copy_python() {
    tar -C / --create --exclude="${2#/}/lib/python*/site-packages/*" --exclude='_tkinter*' \
        --exclude="${2#/}/lib/python*/test" --exclude='*.a' --exclude='*.opt-[12].pyc' \
        --exclude="${2#/}/share" "${2#/}" | tar -C "$1" --extract
    # Every user of a container has to reach it, wherever its home was.
    local directory="$2"
    while [ "$directory" != / ]; do
        chmod a+x "$1$directory"
        directory="$(dirname "$directory")"
    done
}

# /usr/local/bin, first on PATH, gets uv and the names of the Python $3 whose programs are in $2.
link_python() {
    local bin="$1/usr/local/bin" name
    ln -sf "$2/python$3" "$bin/python$3"
    for name in python3 python; do ln -sf "python$3" "$bin/$name"; done
    cp "$uv_bin" "$bin/uv"
}

# pytest and what else belongs to the base, from the package index and with the certificates of this
# machine; neither stays inside.
install_python_packages() {
    local root="$1" bundle="${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" name
    local environment=(PATH=/usr/local/bin:/usr/bin:/bin HOME=/root UV_CACHE_DIR=/build/cache)
    for name in UV_DEFAULT_INDEX UV_INDEX_URL http_proxy https_proxy no_proxy all_proxy \
        HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY; do
        if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
    done
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] && [ -n "${PIP_INDEX_URL:-}" ]; then
        environment+=("UV_DEFAULT_INDEX=$PIP_INDEX_URL")
    fi
    mkdir "$root/build"
    if [ -s "$bundle" ]; then
        cp "$bundle" "$root/build/certificates.pem"
        environment+=(SSL_CERT_FILE=/build/certificates.pem)
    fi
    for name in resolv.conf hosts; do
        if [ -e "/etc/$name" ]; then cp "/etc/$name" "$root/etc/$name"; fi
    done
    say "installing ${python_packages[*]} ${heavy_packages[*]}"
    local install=(chroot "$root" /usr/bin/env -i "${environment[@]}" /usr/local/bin/uv --quiet
        --no-config pip install --python /usr/local/bin/python3 --break-system-packages)
    # Crashes of uv happen (github.com/astral-sh/uv/issues/21428) and leave half a package.
    interruptible "${install[@]}" "${python_packages[@]}" >&2 \
        || { [ $? -eq 139 ] && interruptible "${install[@]}" --reinstall "${python_packages[@]}" >&2; } \
        || give_up "${python_packages[*]} could not be installed from the package index; see above"
    local status=0 binary=("${install[@]}" --only-binary :all:)
    interruptible "${binary[@]}" "${heavy_packages[@]}" >&2 || status=$?
    if [ "$status" -eq 139 ]; then
        status=0
        interruptible "${binary[@]}" --reinstall "${heavy_packages[@]}" >&2 || status=$?
    fi
    # 1 is uv's word for: no versions fit; an index that does not answer is another.
    case "$status" in
        0) ;;
        1) say "without ${heavy_packages[*]}: see above" ;;
        *) give_up "${heavy_packages[*]} could not be installed from the package index; see above" ;;
    esac
}

# The commands of those packages that are not in /usr/local/bin already.
link_commands() {
    local root="$1" bin="$2" name
    for name in pip pip3 pytest; do
        if [ -x "$root$bin/$name" ] && [ "$bin" != /usr/local/bin ]; then
            ln -sf "$bin/$name" "$root/usr/local/bin/$name"
        fi
    done
}

# Leaves nothing of the build, and the places where tasks put their repository.
finish() {
    local root="$1"
    rm -rf "$root/build" "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
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
    [[ $# -eq 2 && "$1" =~ ^3\.[0-9]+$ ]] || give_up "usage: rootfs.sh 3.MINOR OUT_TAR" 2
    local version="$1" out="$2" suite own_python linked packages=() bin root
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

    own_python="$(installed_python "$version")"
    if [ -n "$own_python" ] && linked="$(linked_packages "$own_python" "$version")"; then
        mapfile -t packages <<<"$linked"
        bin="$own_python/bin"
    else
        own_python="" packages=(python3 python3-venv) bin=/usr/bin
    fi
    install_packages "$root" "$suite" "${system_packages[@]}" "${packages[@]}"
    if [ -n "$own_python" ]; then
        say "copying $own_python"
        copy_python "$root" "$own_python"
    else
        version="$(basename "$(readlink "$root/usr/bin/python3")")"
        version="${version#python}"
    fi
    link_python "$root" "$bin" "$version"
    chroot "$root" /usr/local/bin/python -c \
        'import bz2, ctypes, hashlib, lzma, readline, sqlite3, ssl, zlib' >&2 \
        || give_up "the Python inside does not work; see above"
    install_python_packages "$root"
    link_commands "$root" "$bin"
    finish "$root"
    say "packing"
    tar -C "$root" --numeric-owner --one-file-system --create --file "$scratch/root.tar" .
    mv "$scratch/root.tar" "$out"
    say "made $out with Python $version"
    printf '%s\n' "$version"
}

main "$@"
