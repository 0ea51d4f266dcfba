#!/bin/bash
# Runs in the container that becomes a base image. base.sh link DIRECTORY: makes the Python below
# DIRECTORY (/usr for Debian's own) the first on PATH and says its minor version. base.sh finish
# DIRECTORY: gives the programs of its packages their names there.
set -euo pipefail
umask 022

bin=/usr/local/bin

link() {
    local directory="$1" name version
    version="$("$directory/bin/python3" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    # Every user of a container has to reach it, wherever its home was.
    while [ "$directory" != / ]; do
        chmod a+x "$directory"
        directory="$(dirname "$directory")"
    done
    ln -sf "$1/bin/python$version" "$bin/python$version"
    for name in python3 python; do ln -sf "python$version" "$bin/$name"; done
    "$bin/python" -c 'import bz2, ctypes, hashlib, lzma, readline, sqlite3, ssl, zlib'
    printf '%s\n' "$version"
}

# What Debian's Python installs is there already.
finish() {
    local name
    for name in pip pip3 pytest; do
        if [ ! -e "$bin/$name" ] && [ -x "$1/bin/$name" ]; then ln -s "$1/bin/$name" "$bin/$name"; fi
    done
}

"$@"
