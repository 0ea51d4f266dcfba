"""Bare mirrors on the host: a repository is fetched once and then read without the network.

A mirror holds the future (the fix, later tags); it is never mounted into a container.
"""

import asyncio
import hashlib
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import AsyncFileLock, FileLock, Timeout

from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.repository.git import GitError, git, without_password

FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
STREAM_SUFFIX = ".fast-import"
# A git that still writes to a file of its own does so more often than this.
STALE_S = 900.0


class UnknownRef(Exception):
    """The repository has no such ref; the message names both."""


# What `git cat-file --batch` says before an object.
OBJECT = re.compile(rb"[0-9a-f]+ (\w+) (\d+)")


@dataclass(frozen=True)
class Mirror:
    """A bare repository on the host.

    Attributes:
        source: what it mirrors: a URL, a local repository, or a fast-import stream.
    """

    path: Path
    source: str

    async def commit_of(self, ref: str) -> str:
        """The full commit id of a ref.

        Raises:
            UnknownRef: there is none.
        """
        try:
            out = await git("rev-parse", "--verify", "-q", f"{ref}^{{commit}}", cwd=self.path)
        except GitError as error:
            raise UnknownRef(f"{self.source} has no ref {ref!r}") from error
        return out.decode().strip()

    async def file(self, commit: str, path: str) -> bytes | None:
        """A file's content at a commit, None where there is none."""
        try:
            return await git("cat-file", "blob", f"{commit}:{path}", cwd=self.path)
        except GitError:
            return None

    async def files(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those paths that are files at a commit, by one process of git."""
        # A name that holds the end of a line cannot be asked for together with others.
        asked = [path for path in dict.fromkeys(paths) if "\n" not in path]
        names = "".join(f"{commit}:{path}\n" for path in asked)
        stdin = names.encode("utf-8", "surrogateescape")
        out = await git("cat-file", "--batch", cwd=self.path, stdin=stdin)
        found, at = {}, 0
        for path in asked:
            end = out.index(b"\n", at)
            told, at = OBJECT.fullmatch(out, at, end), end + 1
            if told is None:  # there is no such file, or it is another repository's commit
                continue
            size_bytes = int(told[2])
            if told[1] == b"blob":
                found[path] = out[at : at + size_bytes]
            at += size_bytes + 1
        return found

    async def tree(self, commit: str) -> bytes:
        """A commit's files as a tar archive."""
        return await git("archive", "--format=tar", commit, cwd=self.path)

    async def paths(self, commit: str) -> tuple[str, ...]:
        """Every path of a commit's tree."""
        out = await git("ls-tree", "-r", "-z", "--name-only", commit, cwd=self.path)
        return tuple(out.decode("utf-8", "surrogateescape").rstrip("\0").split("\0"))


def mirror_path(source: str, home: Path) -> Path:
    """Where the mirror of a source lies; a stream's content is part of its name."""
    seed = source.encode()
    if source.endswith(STREAM_SUFFIX):
        seed = Path(source).read_bytes()
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", source.rstrip("/").rpartition("/")[2])[:40]
    return home / "mirrors" / f"{name}-{hashlib.sha256(seed).hexdigest()[:12]}.git"


async def open_mirror(source: str, ref: str, home: Path, *, timeout_s: float) -> Mirror:
    """The mirror of a source, holding `ref`; filled or updated only where it has to be.

    Args:
        source: a URL, an absolute path of a repository, or of a `.fast-import` stream.
        timeout_s: for one fetch.

    Raises:
        InfraFault: `mirror_failed`, where the source cannot be fetched.
        UnknownRef: it was fetched and has no such ref.
    """
    mirror = Mirror(mirror_path(source, home), source)
    if FULL_SHA.fullmatch(ref) and await _has(mirror, ref):
        return mirror
    async with _locked(mirror.path):
        await _fill(mirror, ref, timeout_s)
    await mirror.commit_of(ref)
    return mirror


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    async with AsyncFileLock(path.with_suffix(".lock"), poll_interval=0.1):
        yield


def remove_halves(home: Path) -> list[Path]:
    """Removes what clones that were killed left half made; whoever is at one holds its lock."""
    gone = []
    for half in sorted((home / "mirrors").glob("*.part")):
        with suppress(Timeout), FileLock(half.with_suffix(".lock"), blocking=False):
            shutil.rmtree(half, ignore_errors=True)
            gone.append(half)
    return gone


def _remove_stale(path: Path) -> None:
    """What a git that was killed left in a mirror; the next one would stop at its locks.

    Only under our own lock: nobody else takes git's. But who packs a history for a layer writes a
    temporary pack here without it, and is at work on it.
    """
    for left in (*path.glob("*.lock"), *path.glob("refs/**/*.lock")):
        left.unlink(missing_ok=True)
    for left in path.glob("objects/pack/tmp_*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > STALE_S:
                left.unlink()


async def _has(mirror: Mirror, ref: str) -> bool:
    if not mirror.path.exists():
        return False
    try:
        await mirror.commit_of(ref)
    except UnknownRef:
        return False
    return True


async def _fill(mirror: Mirror, ref: str, timeout_s: float) -> None:
    try:
        if mirror.path.exists():
            if not mirror.source.endswith(STREAM_SUFFIX):
                await asyncio.to_thread(_remove_stale, mirror.path)
                await _fetch(mirror.path, ref, timeout_s)
                await _index(mirror.path)
            return
        # Made beside and renamed: an interrupted clone is never taken for a mirror.
        half = mirror.path.with_suffix(".part")
        await asyncio.to_thread(shutil.rmtree, half, True)
        # A stream cannot say what HEAD is; a clone is told by its source.
        await git("init", "-q", "--bare", "-b", "main", "--template=", str(half))
        await git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=half)
        if mirror.source.endswith(STREAM_SUFFIX):
            stream = await asyncio.to_thread(Path(mirror.source).read_bytes)
            await git("fast-import", "--quiet", cwd=half, stdin=stream)
        else:
            await git("remote", "add", "origin", mirror.source, cwd=half)
            await _fetch(half, ref, timeout_s)
            await _set_head(half)
            await _index(half)
        half.rename(mirror.path)
    except GitError as error:
        message = f"cannot mirror {without_password(mirror.source)}: {error}"
        raise InfraFault(FaultKind.MIRROR_FAILED, message, retryable=True) from error


async def _fetch(path: Path, ref: str, timeout_s: float) -> None:
    """Branches and tags; a commit that none of them reaches is asked for by its id.

    Not `refs/*`: forges keep a ref for every pull request, ten times the rest.
    """
    fetch = ("fetch", "-q", "--prune", "--force", "--no-auto-gc", "origin")
    refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    await git(*fetch, *refs, cwd=path, timeout_s=timeout_s)
    mirror = Mirror(path, "")
    if FULL_SHA.fullmatch(ref) and not await _has(mirror, ref):
        wanted = f"+{ref}:refs/agent_runner/{ref}"
        with suppress(GitError):  # the caller says that the ref is unknown
            await git(*fetch[:3], "origin", wanted, cwd=path, timeout_s=timeout_s)


async def _index(path: Path) -> None:
    """What makes questions about history quick: a tenth of the time, for a second or two here.

    An old git knows neither, and a store without packs has nothing to index: then it is as slow.
    """
    for argv in (
        ("commit-graph", "write", "--reachable"),
        ("multi-pack-index", "write", "--bitmap"),
    ):
        with suppress(GitError):
            await git(*argv, cwd=path)


async def _set_head(path: Path) -> None:
    """HEAD is the source's default branch, so that a run without a ref means the same."""
    out = await git("ls-remote", "--symref", "origin", "HEAD", cwd=path)
    found = re.search(rb"^ref: (\S+)\s+HEAD", out, re.MULTILINE)
    if found:
        await git("symbolic-ref", "HEAD", found[1].decode(), cwd=path)
