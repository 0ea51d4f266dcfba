"""Where else the project's future could lie on a container's disk: one walk over all of it."""

import json
import re

from tools.workspace.channels.channel import Command
from tools.workspace.container import Container
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.spec import PROJECT, VENV

LIMIT_S = 60.0
LIST_LIMIT_BYTES = 50_000_000

# Runs with the environment's Python, which may be as old as 3.6.
_WALK = r"""
import json, os, re, struct, subprocess, sys, tarfile, zipfile, zlib

project, pattern = sys.argv[1:3]
store = project + "/.git"
found = set()
archive = re.compile(r"(?i)%s-v?\d[^/]*\.(whl|egg|zip|conda|tgz|tar(\.\w+)?)$" % pattern)
metadata = re.compile(r"(?i)%s-v?\d[^/]*\.(dist-info|egg-info)$" % pattern)
rooted = re.compile(r"(?i)%s-v?\d" % pattern)
git_files = re.compile(r"(?i).*\.(pack|bundle)$|packed-refs$")
loose = re.compile(r"[0-9a-f]{38}$|[0-9a-f]{62}$")
pair = re.compile(r"[0-9a-f]{2}$")
# No archive and no pack goes by these names; opening each would take seconds.
plain = re.compile(r".*\.(py|pyc|pyi|so|h|hpp|c|a|o|txt|rst|md|html|js|css|po|mo|pm|pl|[1-8])$")
site = re.compile(r"(site|dist)-packages$")
# What reading a file raises that is no archive after all, or a damaged one.
broken = (
    OSError, EOFError, ValueError, OverflowError, NotImplementedError, RuntimeError, struct.error,
    tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
)
# What a repository that was only ever cut at a commit consists of.
own = re.compile(
    r"HEAD$|config$|index$|packed-refs$|description$|info/exclude$|refs/"
    r"|objects/[0-9a-f]{2}/[0-9a-f]{38}([0-9a-f]{24})?$|objects/info/(packs|commit-graph)"
    r"|objects/pack/pack-[0-9a-f]{40}([0-9a-f]{24})?\.(pack|idx|rev|bitmap|keep)$"
)

def entries(path):
    try:
        with os.scandir(path) as listed:
            return list(listed)
    except OSError:
        return []

def tops():
    "Names the project is imported by."
    return {
        entry.name for place in ("", "/src", "/lib") for entry in entries(project + place)
        if os.path.exists(entry.path + "/__init__.py")
    }

def claimed(place, name):
    "Whether another distribution says that the package is its own."
    for entry in entries(place):
        if not entry.name.endswith((".dist-info", ".egg-info")) or rooted.match(entry.name):
            continue
        for listing, start in (("RECORD", name + "/"), ("top_level.txt", name)):
            try:
                with open(entry.path + "/" + listing, errors="replace") as lines:
                    if any(line.strip().startswith(start) for line in lines):
                        return True
            except OSError:
                pass
    return False

def editable(path):
    "Whether an installation is only a link to the working tree."
    try:
        with open(path + "/direct_url.json") as file:
            url = json.load(file)
    except (OSError, ValueError):
        return False
    return bool(url.get("dir_info", {}).get("editable")) and url.get("url") == "file://" + project

def holds(path):
    "Whether a file, whatever its name, is a pack, a bundle or the project in an archive."
    try:
        with open(path, "rb") as file:
            head = file.read(16)
        if head.startswith((b"PACK\0\0\0", b"# v2 git bundle", b"# v3 git bundle")):
            return True
        if not pattern:
            return False
        if head.startswith(b"PK\3\4"):
            with zipfile.ZipFile(path) as members:
                return any(rooted.match(name) for name in members.namelist())
        if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
            with tarfile.open(path) as members:
                first = members.next()
                return first is not None and bool(rooted.match(first.name))
    except broken:
        return False
    return False

def look(path, children):
    "Takes down what of a directory's entries is foreign; returns the directories below."
    names = {entry.name for entry in children}
    below = []
    for entry in children:
        name = entry.name
        is_dir = entry.is_dir(follow_symlinks=False)
        if name == ".git" and entry.path != store:
            found.add(entry.path)
        elif is_dir and name == "objects" and "HEAD" in names:
            found.add(path)
        elif is_dir and pair.match(name) and any(loose.match(e.name) for e in entries(entry.path)):
            found.add(path)
        elif is_dir:
            below.append(entry.path)
            if pattern and path != project and metadata.match(name) and not editable(entry.path):
                found.add(entry.path)
        elif not entry.is_file(follow_symlinks=False):
            continue
        elif git_files.match(name) or pattern and archive.match(name):
            found.add(entry.path)
        elif not plain.match(name) and holds(entry.path):
            found.add(entry.path)
    if pattern and site.search(path):
        for name in packages & names:
            if not os.path.islink(path + "/" + name) and not claimed(path, name):
                found.add(path + "/" + name)
    return below

def walk():
    device = os.stat("/").st_dev
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path == store or os.lstat(path).st_dev != device:
            continue
        waiting += look(path.rstrip("/"), entries(path))

def check_store():
    "The project's own store: nothing in it that a cut one lacks, no ref to what it lacks."
    packs, texts = set(), []
    for directory, _, files in os.walk(store):
        for name in files:
            path = os.path.join(directory, name)
            inner = path[len(store) + 1:]
            if not own.match(inner):
                found.add(path)
            elif inner.startswith("objects/pack/"):
                packs.add(inner)
            elif inner in ("HEAD", "packed-refs") or inner.startswith("refs/"):
                texts.append(path)
    for pack in packs:
        if pack.endswith(".pack") and pack[:-4] + "idx" not in packs:
            found.add(store + "/" + pack)
    for path in texts:
        with open(path, "rb") as file:
            ids = re.findall(br"(?m)^\^?([0-9a-f]{40,64})\b", file.read())
        if ids:
            asked = subprocess.run(
                ["git", "-C", project, "cat-file", "--batch-check"],
                input=b"\n".join(ids) + b"\n", stdout=subprocess.PIPE, check=True,
            )
            if b" missing\n" in asked.stdout:
                found.add(path)

packages = tops() if pattern else set()
walk()
check_store()
json.dump(sorted(found), sys.stdout)
"""


async def foreign_stores(container: Container, project: str) -> tuple[str, ...]:
    """Every path that may hold history or a release of the project beside the project's own store.

    Repositories, packs and bundles under any name; worktrees and submodules; wheels, eggs and
    source distributions by name or, where a cache has given them another, by content;
    installations that are no link to the working tree; in the project's own `.git`, files that a
    cut history lacks (reflogs, FETCH_HEAD, grafts, alternates, packs without index) and refs that
    name commits it lacks.

    Args:
        project: the distribution's name, "" if unknown: then only git's own are looked for.

    Raises:
        InfraFault: the disk could not be looked through.
    """
    pattern = re.sub(r"[-_.]+", "[-_.]", project)
    argv = (f"{VENV}/bin/python", "-IB", "-c", _WALK, PROJECT, pattern)
    command = Command(argv, cwd="/", timeout_s=LIMIT_S, max_output_bytes=LIST_LIMIT_BYTES)
    done = await container.run(command)
    if not done.ok or done.dropped_bytes:
        text = done.output.decode(errors="replace").strip()[-300:]
        message = f"the container's disk could not be looked through: {text}"
        raise InfraFault(FaultKind.CONTAINER_LOST, message)
    return tuple(json.loads(done.stdout.decode("utf-8", "surrogateescape")))
