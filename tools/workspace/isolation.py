"""Measures what the agent's container holds and reaches; evidence, never an assumption."""

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.workspace.channels.channel import Command
from tools.workspace.container import Container
from tools.workspace.engine import Engine, engine_errors
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.foreign_stores import foreign_stores
from tools.workspace.repository.history import allowed_objects
from tools.workspace.repository.mirrors import Mirror
from tools.workspace.spec import PROJECT, VENV

LIMIT_S = 60.0
LIST_LIMIT_BYTES = 200_000_000
# Addresses of every kind a way out could lead to: public, the metadata service, the usual gateways.
TARGETS_TCP = (
    ("1.1.1.1", 443),
    ("169.254.169.254", 80),
    ("fd00:ec2::254", 80),
    ("172.17.0.1", 22),
    ("10.0.0.1", 80),
    ("2606:4700:4700::1111", 443),
)
TARGETS_UDP = (("1.1.1.1", 53), ("172.17.0.1", 53), ("8.8.8.8", 123), ("2001:4860:4860::8888", 53))
NAMES = ("pypi.org", "github.com", "host.docker.internal")
HOST_PORTS_TCP, HOST_PORT_UDP = (22, 80, 2375), 53
# Nothing is sent there: only the way to it is looked up (RFC 5737, RFC 3849).
NOWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))

# Only "there is no way" counts as closed: a time-out or a refusal means that a packet left.
_PROBE = """
import errno, json, socket, sys
closed = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
tcp, udp, names = json.loads(sys.argv[1])
def way(kind, host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            probe.settimeout(1)
            probe.connect((host, port))
            if kind == socket.SOCK_DGRAM:
                probe.send(b"?")
        return True
    except OSError as error:
        return error.errno not in closed
def known(name):
    try:
        return bool(socket.getaddrinfo(name, 443))
    except OSError:
        return False
print(json.dumps({
    "dns": any([known(name) for name in names]),
    "tcp": any([way(socket.SOCK_STREAM, *t) for t in tcp]),
    "udp": any([way(socket.SOCK_DGRAM, *t) for t in udp]),
}))
"""


@dataclass(frozen=True)
class Network:
    """Which ways out are open from inside; each was tried."""

    dns: bool
    tcp: bool
    udp: bool


@dataclass(frozen=True)
class Isolation:
    """What was found in the container the agent got, before its first command.

    Attributes:
        commits_after_base: commits in any store that the base commit does not reach.
        unreachable_objects: all objects it does not reach.
        foreign_git_stores: paths of other repositories, packs and releases of the project, see
            `foreign_stores`.
        hidden_tests_present: whether a hidden test file is there as the test patch makes it.
    """

    commits_after_base: int
    unreachable_objects: int
    foreign_git_stores: tuple[str, ...]
    network: Network
    hidden_tests_present: bool


async def measure(
    container: Container,
    mirror: Mirror,
    commit: str,
    objects_sha256: str,
    *,
    project: str,
    hidden_blobs: Mapping[str, str],
    hosts: tuple[str, ...] = (),
) -> Isolation:
    """Measures a container that nobody has worked in yet.

    Args:
        objects_sha256: digest of what the history may hold (`history.objects_digest`).
        project: the distribution's name, "" if unknown.
        hidden_blobs: git's hash of each hidden test file as the test patch makes it, by path.
        hosts: addresses by which the host could be reached (`host_addresses`).

    Raises:
        InfraFault: a measurement could not be made; there is no evidence without one.
    """
    try:
        async with asyncio.TaskGroup() as group:
            objects = group.create_task(_foreign_objects(container, mirror, commit, objects_sha256))
            stores = group.create_task(foreign_stores(container, project))
            network = group.create_task(probe_network(container, hosts))
            hidden = group.create_task(_has_any(container, hidden_blobs))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    commits, others = objects.result()
    return Isolation(commits, others, stores.result(), network.result(), hidden.result())


async def host_addresses(engine: Engine) -> tuple[str, ...]:
    """Every address by which a container could reach the host: gateways of the engine's networks,
    this machine's own addresses and its own gateway."""
    found = set(_own_addresses())
    async with engine_errors("listing the engine's networks"):
        networks = await engine.docker.networks.list()
    for network in networks:
        for config in (network.get("IPAM") or {}).get("Config") or ():
            found.add(str(config.get("Gateway") or ""))
    return tuple(sorted(address for address in found if address))


def _own_addresses() -> list[str]:
    found = []
    for family, somewhere in NOWHERE:
        # A machine without that family has no address of it.
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((somewhere, 9))
            found.append(str(probe.getsockname()[0]))
    routes = Path("/proc/net/route")
    for line in routes.read_text(encoding="ascii").splitlines()[1:] if routes.exists() else ():
        destination, gateway = line.split()[1:3]
        if destination == "00000000":
            found.append(socket.inet_ntoa(bytes.fromhex(gateway)[::-1]))
    return found


async def probe_network(container: Container, hosts: tuple[str, ...] = ()) -> Network:
    """Tries DNS, TCP and UDP, IPv4 and IPv6, outwards, to the host and to the metadata service."""
    tcp = [*TARGETS_TCP, *((host, port) for host in hosts for port in HOST_PORTS_TCP)]
    udp = [*TARGETS_UDP, *((host, HOST_PORT_UDP) for host in hosts)]
    targets = json.dumps([tcp, udp, NAMES])
    found = json.loads(await _ask(container, f"{VENV}/bin/python", "-IB", "-c", _PROBE, targets))
    return Network(dns=found["dns"], tcp=found["tcp"], udp=found["udp"])


async def _foreign_objects(
    container: Container, mirror: Mirror, commit: str, objects_sha256: str
) -> tuple[int, int]:
    """Counts (commits, objects) in the project's store that the base commit does not reach."""
    listing = "git cat-file --batch-all-objects --batch-check="
    names = f"{listing}'%(objectname)' | LC_ALL=C sort -u | sha256sum"
    digest = await _ask(container, "/bin/sh", "-c", names, cwd=PROJECT)
    if digest.split()[0].decode() == objects_sha256:
        return 0, 0
    kinds = await _ask(
        container, "/bin/sh", "-c", f"{listing}'%(objectname) %(objecttype)'", cwd=PROJECT
    )
    allowed = await allowed_objects(mirror, commit)
    held = dict(line.split() for line in kinds.decode().splitlines())
    foreign = [kind for name, kind in held.items() if name not in allowed]
    return foreign.count("commit"), len(foreign)


async def _has_any(container: Container, blobs: Mapping[str, str]) -> bool:
    """Whether one of the files is there with exactly that content, by git's hash of it."""
    if not blobs:
        return False
    script = 'for file; do [ -f "$file" ] && git hash-object --no-filters -- "$file"; done; true'
    found = await _ask(container, "/bin/sh", "-c", script, "sh", *blobs, cwd=PROJECT)
    return bool(set(found.decode().split()) & set(blobs.values()))


async def _ask(container: Container, *argv: str, cwd: str = "/") -> bytes:
    command = Command(argv, cwd=cwd, timeout_s=LIMIT_S, max_output_bytes=LIST_LIMIT_BYTES)
    done = await container.run(command)
    if done.ok and not done.dropped_bytes:
        return done.stdout
    text = done.output.decode(errors="replace").strip()[-300:]
    message = f"the isolation of the container could not be measured ({argv[0]}): {text}"
    raise InfraFault(FaultKind.CONTAINER_LOST, message)
