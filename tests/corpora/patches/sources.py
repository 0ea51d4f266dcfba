"""Trees to make diffs between: releases from PyPI, commits of the seeds' repositories."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.corpora.patches.packages import Package, Release

__all__ = ["Files", "ends", "git", "releases"]

Files = dict[str, bytes]

_MOST_BYTES = 200_000
# What a build makes anew; nobody patches it.
_BUILT = (".egg-info/", "PKG-INFO")
_ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What a git command prints; no configuration of this machine has a say."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, input=given, capture_output=True, check=True,
        env=_ENVIRONMENT,
    )  # fmt: skip
    return done.stdout


def releases(packages: Sequence[Package], cache: Path) -> list[tuple[str, Files, Files]]:
    """Name, old and new text files of each package; what `cache` lacks is downloaded."""
    return [
        (each.name, _files(each.name, each.old, cache), _files(each.name, each.new, cache))
        for each in packages
    ]


def ends(stream: Path, scratch: Path) -> tuple[Files, Files, Files]:
    """The first, the middle and the last tree of a `git fast-import` stream's main branch."""
    root = scratch / stream.stem
    root.mkdir()
    git(root, "init", "-q", "--bare", ".")
    git(root, "fast-import", "--quiet", given=stream.read_bytes())
    every = git(root, "rev-list", "--first-parent", "--reverse", "main").decode().split()
    return _at(root, every[0]), _at(root, every[len(every) // 2]), _at(root, every[-1])


def _at(root: Path, commit: str) -> Files:
    names = git(root, "ls-tree", "-r", "-z", "--name-only", commit).split(b"\0")[:-1]
    return {name.decode(): git(root, "show", f"{commit}:{name.decode()}") for name in names}


def _files(name: str, release: Release, cache: Path) -> Files:
    with tarfile.open(_archive(name, release, cache)) as archive:
        found = {}
        for member in archive:
            path = member.name.partition("/")[2]
            if not member.isfile() or member.size > _MOST_BYTES or _is_built(path):
                continue
            data = archive.extractfile(member)
            raw = data.read() if data else b""
            if b"\0" not in raw:
                found[path] = raw
    return found


def _is_built(path: str) -> bool:
    return not path or any(part in path for part in _BUILT)


def _archive(name: str, release: Release, cache: Path) -> Path:
    """The archive in the cache, found by its digest: its name's spelling varies."""
    place = cache / f"{name}-{release.version}"
    for archive in place.glob("*.tar.gz"):
        if sha256(archive.read_bytes()).hexdigest() == release.sha256:
            return archive
    place.mkdir(parents=True, exist_ok=True)
    pins = place / "pin.txt"
    pins.write_text(f"{name}=={release.version} --hash=sha256:{release.sha256}\n", "utf-8")
    _download(place, pins)
    return _archive(name, release, cache)


def _download(place: Path, pins: Path) -> None:
    """Let pip fetch it: it knows this machine's index, proxy and certificates, and the digest."""
    uv = Path(sys.executable).with_name("uv")
    fetch = ["pip", "download", "--no-deps", "--no-binary", ":all:", "--require-hashes", "--quiet"]
    sys.stderr.write(f"downloading {place.name}\n")
    subprocess.run(
        [str(uv), "tool", "run", "--quiet", *fetch, "--dest", str(place), "-r", str(pins)],
        check=True,
        stdout=sys.stderr,
    )
