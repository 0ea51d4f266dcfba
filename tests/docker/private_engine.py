"""A second engine on a small disk of its own, which a test may fill, stop and break."""

import os
import signal
import socket as connection
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tools.workspace.channels.channel import Command
from tools.workspace.container import Container
from tools.workspace.engine import Engine

START_LIMIT_S = 60.0
PROGRAMS = "sh dd cat sleep true ls df rm mkdir head"
# The programs with what they link, each at its own path.
PACK = """
cd /; list=
for name in $1; do
  list="$list /bin/$name $(ldd "/bin/$name" | grep -o '/[^ ]*')"
done
tar -chf - $(printf '%s\\n' $list | sort -u) 2>/dev/null
"""


@dataclass
class PrivateEngine:
    """It listens on `host`; its process takes signals."""

    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """For `DOCKER_HOST`."""
        return f"unix://{self.directory / 'docker.sock'}"

    @property
    def data(self) -> Path:
        """Its disk."""
        return self.directory / "data"

    def stop(self) -> None:
        """It answers nobody until it goes on."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it and its containerd at once, as a crash would."""
        containerd = self.directory / "exec" / "containerd" / "containerd.pid"
        self.process.kill()
        self.process.wait(30)
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(containerd.read_text(encoding="utf-8")), signal.SIGKILL)

    def start_again(self) -> None:
        """Starts it after a kill, as whoever looks after it would."""
        for left in ("pid", "exec/containerd/containerd.pid", "docker.sock"):
            (self.directory / left).unlink(missing_ok=True)
        self.process = _start(self.directory)


@contextmanager
def private_engine(directory: Path, size_mb: int) -> Iterator[PrivateEngine]:
    """Needs root, as the project's own engine does."""
    data = directory / "data"
    data.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(data))
    subprocess.run(mount, check=True)
    try:
        engine = PrivateEngine(directory, _start(directory))
        try:
            yield engine
        finally:
            engine.go_on()
            engine.process.terminate()
            engine.process.wait(30)
    finally:
        subprocess.run(("umount", "-l", str(data)), check=True)


def _start(directory: Path) -> subprocess.Popen[bytes]:
    socket = directory / "docker.sock"
    # In a network of its own: it would take the other engine's bridge away.
    argv = (
        "unshare", "--net", "dockerd", "--data-root", str(directory / "data"),
        "--exec-root", str(directory / "exec"), "--pidfile", str(directory / "pid"),
        "--host", f"unix://{socket}",
        "--bridge", "none", "--iptables=false", "--ip-forward=false",
    )  # fmt: skip
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        _wait_for(socket, process, directory / "log")
    except BaseException:
        process.kill()
        raise
    return process


def _wait_for(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), connection.socket(connection.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(socket))
            # It listens before it can do anything.
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            if client.recv(4096).startswith(b"HTTP/1.0 200"):
                return
        time.sleep(0.1)
    raise AssertionError(f"no second engine: {log.read_text(encoding='utf-8')[-2000:]}")


async def tiny_rootfs(container: Container, programs: str = PROGRAMS) -> bytes:
    """A root file system with little more than a shell, out of a container's own."""
    done = await container.run(Command(("/bin/sh", "-c", PACK, "sh", programs)))
    assert done.stdout, done.stderr
    assert not done.dropped_bytes
    return done.stdout


async def import_tiny(engine: Engine, rootfs: bytes, tag: str, scratch: Path) -> str:
    """Makes an image of it."""
    path = scratch / f"{os.urandom(4).hex()}.tar"
    path.write_bytes(rootfs)
    with path.open("rb") as tar:
        await engine.import_rootfs(tar, tag, {}, {})
    return tag
