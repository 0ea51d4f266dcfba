"""A registry on loopback, as Debian packages it, and a front before it that fails on request."""

import asyncio
import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

PROGRAM = "docker-registry"
INSTALL = Path(__file__).resolve().parents[2] / "docker" / "apt_install.sh"
START_LIMIT_S = 20.0
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def registry(directory: Path) -> Iterator[str]:
    """Its `host:port`; engines speak plain HTTP to loopback."""
    if shutil.which(PROGRAM) is None:
        subprocess.run([str(INSTALL), PROGRAM], check=True)
    address = f"127.0.0.1:{free_port()}"
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "blobs")}},
        "http": {"addr": address},
    }
    path = directory / "config.yml"
    path.write_text(json.dumps(config), encoding="utf-8")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", str(path)], stdout=log, stderr=log)
    try:
        _wait(address, process)
        yield address
    finally:
        process.kill()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    until_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"{PROGRAM} does not listen on {address}")


async def upload(address: str, name: str, architecture: str) -> str:
    """Puts a tiny image for an architecture there, without an engine; its digest."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("made-for-a-test"))
    packed = gzip.compress(layer.getvalue(), mtime=0)
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer.getvalue())]},
    }
    settings = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(settings), "digest": _digest(settings)},
        "layers": [{"mediaType": LAYER, "size": len(packed), "digest": _digest(packed)}],
    }
    content = json.dumps(manifest).encode()
    async with aiohttp.ClientSession(f"http://{address}") as client:
        for blob in (packed, settings):
            async with client.post(f"/v2/{name}/blobs/uploads/") as begun:
                where = begun.headers["Location"]
            mark = "&" if "?" in where else "?"
            async with client.put(f"{where}{mark}digest={_digest(blob)}", data=blob) as done:
                assert done.status == 201, await done.text()
        headers = {"Content-Type": MANIFEST}
        path = f"/v2/{name}/manifests/latest"
        async with client.put(path, data=content, headers=headers) as done:
            assert done.status == 201, await done.text()
    return _digest(content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Front:
    """What stands before a registry.

    Attributes:
        failures: the statuses it answers with first, one a request.
        hangs: whether it answers nothing at all.
        asked: the paths that were asked for.
    """

    address: str
    failures: list[int] = field(default_factory=list)
    hangs: bool = False
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def front(behind: str) -> AsyncIterator[Front]:
    """Passes on what it does not fail."""
    port = free_port()
    state = Front(f"127.0.0.1:{port}")

    async def answer(request: web.Request) -> web.StreamResponse:
        state.asked.append(request.path)
        if state.hangs:
            await asyncio.sleep(3600)
        if "/manifests/" in request.path and state.failures:
            status = state.failures.pop(0)
            code = "TOOMANYREQUESTS" if status == 429 else "UNKNOWN"
            body = {"errors": [{"code": code, "message": "not now"}]}
            return web.json_response(body, status=status)
        headers = {"Accept": ", ".join(request.headers.getall("Accept", ["*/*"]))}
        url = f"http://{behind}{request.path_qs}"
        async with client.request(request.method, url, headers=headers) as said:
            content = await said.read()
            kept = {name: said.headers[name] for name in said.headers if name.lower() in KEPT}
            if request.method == "HEAD":  # the length of what is not sent
                kept |= {"Content-Length": said.headers["Content-Length"]}
                return web.Response(status=said.status, headers=kept)
            return web.Response(body=content, status=said.status, headers=kept)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as client:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield state
        finally:
            await runner.cleanup()


KEPT = frozenset({"content-type", "docker-content-digest", "docker-distribution-api-version"})
