"""The history an agent may see: it ends at the base commit, and that is proven, not assumed."""

import asyncio
import hashlib
import io
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.workspace.git import git, plain_config
from tools.workspace.mirrors import Mirror
from tools.workspace.scratch import scratch

BRANCH = "main"


@dataclass(frozen=True)
class History:
    """A repository's `.git` cut at a commit.

    Attributes:
        tar: the archive of `.git`, owned by root.
        objects_sha256: digest of the object ids it may hold, see `objects_digest`.
        tags: the tags kept: those on the commit or before it (version tools read them).
    """

    commit: str
    tar: bytes
    objects_sha256: str
    tags: tuple[str, ...]


def objects_digest(ids: Iterable[str]) -> str:
    """The digest of a set of object ids: sorted, one per line, as `sort | sha256sum` gives it."""
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(set(ids))).encode()).hexdigest()


async def allowed_objects(mirror: Mirror, commit: str) -> set[str]:
    """Every object the base commit and the tags before it reach, computed on the host."""
    tips = [commit, *(f"refs/tags/{tag}" for tag in await _tags_before(mirror, commit))]
    out = await git("rev-list", "--objects", *tips, cwd=mirror.path)
    return {line.split(b" ")[0].decode() for line in out.splitlines()}


async def cut(mirror: Mirror, commit: str) -> History:
    """Fetches a commit alone into an empty repository: nothing later can come along."""
    tags = await _tags_before(mirror, commit)
    with scratch() as empty:
        where = empty / "project"
        await git("init", "-q", "-b", BRANCH, "--template=", str(where), env=plain_config())
        wanted = [f"{commit}:refs/heads/{BRANCH}", *(f"refs/tags/{t}:refs/tags/{t}" for t in tags)]
        await git(
            "fetch", "-q", "--no-tags", "--update-head-ok", str(mirror.path), *wanted,
            cwd=where, env=plain_config(),
        )  # fmt: skip
        await git("pack-refs", "--all", cwd=where, env=plain_config())
        for trace in ("FETCH_HEAD", "ORIG_HEAD"):
            (where / ".git" / trace).unlink(missing_ok=True)
        # The reflog names the mirror's path on this machine and the machine's user.
        await asyncio.to_thread(shutil.rmtree, where / ".git" / "logs", True)
        tar = await asyncio.to_thread(_pack, where)
    return History(commit, tar, objects_digest(await allowed_objects(mirror, commit)), tags)


async def _tags_before(mirror: Mirror, commit: str) -> tuple[str, ...]:
    out = await git("tag", "--merged", commit, cwd=mirror.path)
    return tuple(out.decode().split())


def _pack(project: Path) -> bytes:
    def as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(project / ".git", arcname=".git", filter=as_root)
    return buffer.getvalue()
