#!/usr/bin/env bash
# python.sh find 3.MINOR: the CPython of that minor version which this machine has from pyenv or uv,
# for a base image that stands on the packages of the same machine. Stdout, each on a line: its
# directory, empty where there is none; then the packages that a Python inside wants, which come out
# the same for all versions, so that their images can share them.
# python.sh pack DIRECTORY OUT_TAR: that directory, with the path it has here.
set -euo pipefail

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

# Of the minor versions $@ the first that is here and works.
first_of() {
    local minor directory
    for minor in "$@"; do
        directory="$(installed_python "3.$minor")"
        if [ -n "$directory" ] && linked_packages "$directory" "3.$minor"; then return; fi
    done
}

find_python() {
    local directory linked
    directory="$(installed_python "$1")"
    if [ -n "$directory" ] && linked="$(linked_packages "$directory" "$1")"; then
        printf '%s\n' "$directory"
        # The oldest and the newest here link between them what the others do.
        { printf '%s\n' "$linked" && first_of {6..20} && first_of {20..6}; } | sort -u
    else
        printf '\n%s\n' python3 python3-venv
    fi
}

# Without its tests; the headers stay for source builds. Every user of a container has to reach it,
# wherever its home was.
pack() {
    tar -C / --create --file "$2" --mode=a+rX --exclude="${1#/}/lib/python*/site-packages/*" \
        --exclude='_tkinter*' --exclude="${1#/}/lib/python*/test" --exclude='*.a' \
        --exclude='*.opt-[12].pyc' --exclude="${1#/}/share" "${1#/}"
}

case "${1:-}" in
    find) find_python "$2" ;;
    pack) pack "$2" "$3" ;;
    *)
        sed -n '2,6s/^# //p' "$0" >&2
        exit 2
        ;;
esac
