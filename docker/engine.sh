#!/usr/bin/env bash
# Makes sure that a Docker engine answers: at DOCKER_HOST, in the docker command's current context,
# or at the default socket. Exit 0 when one does. Only where none of them is chosen and none
# answers, on Debian or Ubuntu as root, one is installed and started; anywhere else exit 3 and one
# line that says what is missing. DOCKERD_FLAGS goes to a dockerd started here. Nothing on stdout.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly home="${AGENT_RUNNER_HOME:-${HOME:-/root}/.cache/agent_runner}"
readonly log="$home/dockerd.log"
readonly socket=/var/run/docker.sock
readonly pid_file=/var/run/docker.pid
readonly containerd_pid_file=/var/run/docker/containerd/containerd.pid
readonly start_limit_s=60
started_pid=""

say() { printf 'engine: %s\n' "$*" >&2; }

give_up() {
    say "$1"
    exit 3
}

# The docker command takes three times as long, and a machine may have an engine without it.
ping_address() {
    local python="$here/../.venv/bin/python"
    [ -x "$python" ] || python=python3
    "$python" -I -S - "$1" <<'PYTHON'
import socket
import sys
from urllib.parse import urlsplit

address = urlsplit(sys.argv[1])
try:
    if address.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        connection.connect(address.path)
    else:
        connection = socket.create_connection((address.hostname, address.port or 2375), 10)
    connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
    sys.exit(b" 200 " not in connection.recv(64))
except PermissionError:
    sys.exit(13)
except OSError:
    sys.exit(1)
PYTHON
}

# What the user chose instead of the default socket: an address, "context NAME", or nothing.
chosen_engine() {
    local context="${DOCKER_CONTEXT:-}"
    if [ -n "${DOCKER_HOST:-}" ]; then
        printf '%s' "$DOCKER_HOST"
        return
    fi
    if [ -z "$context" ]; then
        context="$(sed -n 's/.*"currentContext"[^"]*"\([^"]*\)".*/\1/p' \
            "${DOCKER_CONFIG:-${HOME:-/root}/.docker}/config.json" 2>/dev/null || true)"
    fi
    if [ -n "$context" ] && [ "$context" != default ]; then
        printf 'context %s' "$context"
    fi
}

answers() {
    case "$1" in
        unix://*) ping_address "$1" ;;
        tcp://*) if [ -z "${DOCKER_TLS_VERIFY:-}" ]; then ping_address "$1"; else ask_docker; fi ;;
        *) ask_docker ;;
    esac
}

ask_docker() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Whether the process that a pid file names runs and is the program it should be; a zombie, which a
# PID 1 that reaps nothing keeps for ever, has no executable any more.
runs() {
    local pid
    pid="$(cat "$1" 2>/dev/null)" || return 1
    case "$(readlink "/proc/$pid/exe" 2>/dev/null)" in
        */"$2" | */"$2 (deleted)") return 0 ;;
    esac
    return 1
}

install_engine() {
    local packages=(docker.io ca-certificates)
    mountpoint -q /sys/fs/cgroup || packages+=(cgroupfs-mount)
    if grep -qs Y /sys/module/apparmor/parameters/enabled; then packages+=(apparmor); fi
    # Since Debian 13 the docker command is a package of its own.
    if apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi
    say "installing ${packages[*]} (about 20 s)"
    "$here/apt_install.sh" "${packages[@]}" || give_up "Docker could not be installed; see above"
}

# A killed dockerd leaves its pid file, which stops the next one, and its containerd.
clear_leftovers() {
    if [ -e "$pid_file" ] && ! runs "$pid_file" dockerd; then
        say "removing $pid_file of a dockerd that no longer runs"
        rm -f "$pid_file"
    fi
    [ -e "$containerd_pid_file" ] || return 0
    if runs "$containerd_pid_file" containerd; then
        local pid
        pid="$(cat "$containerd_pid_file")"
        say "ending containerd $pid, left by a dockerd that no longer runs"
        kill "$pid"
        for _ in $(seq 50); do runs "$containerd_pid_file" containerd || break; sleep 0.1; done
        if runs "$containerd_pid_file" containerd; then kill -9 "$pid"; fi
    fi
    rm -f "$containerd_pid_file"
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        say "starting the docker service"
        systemctl start docker || true
        return
    fi
    runs "$pid_file" dockerd && return
    clear_leftovers
    if ! mountpoint -q /sys/fs/cgroup && command -v cgroupfs-mount >/dev/null; then
        cgroupfs-mount
    fi
    say "starting dockerd (log: $log)"
    # shellcheck disable=SC2086 # DOCKERD_FLAGS is a list of words
    setsid dockerd ${DOCKERD_FLAGS:-} </dev/null >"$log" 2>&1 9>&- &
    started_pid=$!
}

wait_for_engine() {
    local deadline=$((SECONDS + start_limit_s))
    while ! answers "unix://$socket"; do
        if [ -n "$started_pid" ] && ! kill -0 "$started_pid" 2>/dev/null; then
            # The package's own init script may have been faster.
            runs "$pid_file" dockerd || fail_with_log "dockerd ended"
        fi
        [ "$SECONDS" -lt "$deadline" ] || fail_with_log "no answer within $start_limit_s s"
        sleep 0.1
    done
}

fail_with_log() {
    say "the Docker engine could not be started: $1; its last lines:"
    if [ -d /run/systemd/system ]; then
        journalctl --unit docker --no-pager --lines 20 >&2 || true
    else
        tail -n 20 "$log" >&2 || true
    fi
    exit 3
}

main() {
    local chosen status=0
    chosen="$(chosen_engine)"
    answers "${chosen:-unix://$socket}" || status=$?
    if [ "$status" -eq 0 ]; then exit 0; fi
    if [ -n "$chosen" ]; then
        give_up "no Docker engine answers at $chosen; start that one, or choose another"
    fi
    if [ "$status" -eq 13 ]; then
        give_up "$socket may not be opened by $(id -un): add this user to the group docker"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        give_up "no Docker engine answers at $socket: install or start Docker as root"
    fi
    mkdir -p "$home"
    exec 9>"$home/engine.lock"
    flock 9
    if answers "unix://$socket"; then exit 0; fi
    if ! command -v dockerd >/dev/null; then
        command -v apt-get >/dev/null \
            || give_up "install Docker first (https://docs.docker.com/engine/install); only on Debian and Ubuntu is it done here"
        install_engine
    fi
    start_engine
    wait_for_engine
    say "ready ($SECONDS s)"
}

main
