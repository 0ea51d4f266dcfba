"""The history an agent may see: it ends at the base commit, and that is proven, not assumed.

A store is made in steps, one on another: the objects of an ancestor, then what a later commit adds.
Each step is a pack of exactly what its commit reaches, so nothing later can come along.
"""

import asyncio
import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.workspace.repository.checkpoints import commit_s
from tools.workspace.repository.git import git, plain_config
from tools.workspace.repository.mirrors import Mirror
from tools.workspace.together import together

BRANCH = "main"
# A git that meets an object again touches its pack, and the file system copies all of that up.
PACK_LIMIT = "32m"
# Copying keeps sizes and seconds, nothing else; with the rest compared every file would be read
# again by the first `git status`.
CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\tcheckStat = minimal
\ttrustctime = false
"""
# Brings the files of a work tree to its HEAD; only those that differ are written. $1: their date,
# which is older than the index, so that none is taken for changed within the same second.
ADVANCE = """
set -e
: > .git/advancing
git read-tree --reset -u HEAD
find . -path ./.git -prune -o -newer .git/advancing -exec touch -h -d "@$1" {} +
git update-index -q --refresh
rm .git/advancing
"""


@dataclass(frozen=True)
class Step:
    """What leads from one commit's store to another's.

    Attributes:
        tar: an archive of what comes into `.git`, owned by root; a file of the caller's.
        date_s: of the commit; its files get it.
    """

    commit: str
    tar: Path
    date_s: int


def objects_digest(ids: Iterable[str]) -> str:
    """The digest of a set of object ids: sorted, one per line, as `sort | sha256sum` gives it."""
    return _digest(name.encode() for name in ids)


def _digest(ids: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(b"%s\n" % name for name in sorted(set(ids)))).hexdigest()


async def allowed_objects(
    mirror: Mirror, commit: str, tags: tuple[str, ...] | None = None
) -> set[str]:
    """Every object the base commit and the tags before it reach, computed on the host.

    Args:
        tags: `tags_before`, where they are known already.
    """
    listed = await _listed(mirror, commit, tags)
    return {line[: len(commit)].decode() for line in listed}


async def allowed_digest(mirror: Mirror, commit: str, tags: tuple[str, ...] | None = None) -> str:
    """The digest of `allowed_objects`."""
    listed = await _listed(mirror, commit, tags)
    return await asyncio.to_thread(_digest, (line[: len(commit)] for line in listed))


async def _listed(mirror: Mirror, commit: str, tags: tuple[str, ...] | None) -> list[bytes]:
    """A line for each object; its id comes first."""
    known = await tags_before(mirror, commit) if tags is None else tags
    tips = (commit, *(f"refs/tags/{tag}" for tag in known))
    listing = ("rev-list", "--objects", "--use-bitmap-index")
    return (await git(*listing, *tips, cwd=mirror.path)).splitlines()


async def tags_before(mirror: Mirror, commit: str) -> tuple[str, ...]:
    """The tags on a commit or before it; version tools read them."""
    out = await git("tag", "--merged", commit, cwd=mirror.path)
    return tuple(out.decode().split())


async def step(
    mirror: Mirror, commit: str, where: Path, *, since: str = "", tags: tuple[str, ...] = ()
) -> Step:
    """Makes a step in an empty directory of the caller's.

    Args:
        since: an ancestor whose store lies below; "" where there is none yet.
        tags: those of `tags_before` that are to be there; they come with their objects.
    """
    wanted = [commit, *(f"refs/tags/{tag}" for tag in tags), *([f"^{since}"] if since else [])]
    packs = where / "packs"
    packs.mkdir()
    settings = ("-c", f"pack.packSizeLimit={PACK_LIMIT}", "-c", "pack.compression=1")
    pack = ("pack-objects", "-q", "--revs", "--delta-base-offset", str(packs / "pack"))
    names = "".join(f"{name}\n" for name in wanted).encode()
    packing = git(*settings, *pack, cwd=mirror.path, env=plain_config(), stdin=names)
    described = together(commit_s(mirror, commit), _packed_refs(mirror, commit, tags))
    _, (date_s, refs) = await together(packing, described)
    tar = where / "step.tar"
    await asyncio.to_thread(_write_tar, tar, packs, refs, is_first=not since)
    return Step(commit, tar, date_s)


async def _packed_refs(mirror: Mirror, commit: str, tags: tuple[str, ...]) -> bytes:
    """The branch and the tags, as git itself packs them: sorted, each with what it peels to."""
    lines = ["# pack-refs with: peeled fully-peeled sorted ", f"{commit} refs/heads/{BRANCH}"]
    listing = ("for-each-ref", "--format=%(refname:strip=2) %(objectname) %(*objectname)")
    kept = set(tags)
    for line in (await git(*listing, "refs/tags", cwd=mirror.path)).decode().splitlines():
        tag, name, peeled = line.split(" ")
        if tag in kept:
            lines.append(f"{name} refs/tags/{tag}")
            lines += [f"^{peeled}"] if peeled else []
    return "\n".join([*lines, ""]).encode()


def _write_tar(tar: Path, packs: Path, refs: bytes, *, is_first: bool) -> None:
    with tarfile.open(tar, mode="w") as archive:
        if is_first:
            for name in (".git", ".git/objects", ".git/objects/pack", ".git/refs",
                         ".git/refs/heads", ".git/refs/tags", ".git/info"):  # fmt: skip
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            _add(archive, ".git/HEAD", f"ref: refs/heads/{BRANCH}\n".encode())
            _add(archive, ".git/config", CONFIG.encode())
        _add(archive, ".git/packed-refs", refs)
        for file in sorted(packs.iterdir()):
            entry = tarfile.TarInfo(f".git/objects/pack/{file.name}")
            entry.size, entry.mode = file.stat().st_size, 0o444
            with file.open("rb") as content:
                archive.addfile(entry, content)
            file.unlink()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    archive.addfile(entry, io.BytesIO(content))
