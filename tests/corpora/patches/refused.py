"""Patches that must be refused, whatever else is right about them."""

from dataclasses import replace
from random import Random

from tests.corpora.patches.case import Case, Make
from tests.corpora.patches.changes import Change
from tests.corpora.patches.diff import Hunk, Section, render
from tests.corpora.patches.recovered import bytes_of
from tests.corpora.patches.tree import Link, Tree

__all__ = ["REFUSED"]


def refuse(kind: str, change: Change, patch: str, before: Tree | None = None) -> Case:
    """An entry that no tree may come of."""
    return Case(kind, "refuse", change.source, before or change.before, bytes_of(patch), None)


def ambiguous(change: Change, rng: Random) -> Case | None:
    """The code is there twice, equally well, and nothing tells which is meant."""
    section = rng.choice(change.sections)
    if section.old is None or section.new != section.old or not section.hunks:
        return None
    hunk = rng.choice(section.hunks)
    data = change.before[section.old]
    if not data.endswith(b"\n") or not hunk.old or any(line[0] == "\\" for line in hunk.lines):
        return None
    lines = data.decode("latin-1").split("\n")[:-1]
    start, size = hunk.old - 1, len(hunk.before)
    block = lines[start : start + size]
    gap = [f"# {rng.random()}"] * rng.randint(1, 3)
    doubled = [*lines[: start + size], *gap, *block, *lines[start + size :]]
    return _with_two_places(change, section, hunk, doubled, rng)


def _with_two_places(
    change: Change, section: Section, hunk: Hunk, doubled: list[str], rng: Random
) -> Case:
    """Numbers between the two places, wrong ones, or none; other hunks of the file are left out."""
    kind = rng.choice(["none", "between", "far"])
    lone = replace(section, hunks=(replace(hunk, heading=""),)).plain
    patch = render([lone])
    if kind == "none":
        patch = patch.replace(replace(hunk, heading="").header, "@@")
    elif kind == "between":
        moved = replace(hunk, old=hunk.old + 1, new=hunk.new + 1, heading="")
        patch = render([replace(lone, hunks=(moved,))])
    else:
        moved = replace(hunk, old=hunk.old + 5000, new=hunk.new + 5000, heading="")
        patch = render([replace(lone, hunks=(moved,))])
    before = dict(change.before) | {section.old or "": bytes_of("\n".join([*doubled, ""]))}
    others = [each for each in change.sections if each is not section]
    return refuse("ambiguous", change, render(others) * (rng.random() < 0.3) + patch, before)


def _new(path: str, rng: Random) -> str:
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n" * (rng.random() < 0.5)
    return f"{head}--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,2 @@\n+import os\n+os.getcwd()\n"


def _placed(change: Change, extra: str, rng: Random) -> str:
    """Before, after or instead of the real change."""
    return rng.choice([extra, extra + change.patch, change.patch + extra])


def outside(change: Change, rng: Random) -> Case:
    """A file that lies outside the project."""
    path = rng.choice(
        [
            "../x.py",
            "../../etc/cron.d/x",
            "pkg/../../x.py",
            "./../x.py",
            "a/../../b/x",
            "..",
            "/etc/x",
        ]
    )
    extra = _new(path, rng)
    if path == "/etc/x":
        extra = "--- /dev/null\n+++ /etc/x\n@@ -0,0 +1 @@\n+x\n"
    if rng.random() < 0.3:
        extra = f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch\n"
        return refuse("outside", change, extra)
    if rng.random() < 0.3:
        path = "../moved.py" if path == "/etc/x" else path
        one = rng.choice(sorted(change.before))
        extra = f"diff --git a/{one} b/{path}\nsimilarity index 100%\n"
        extra += f"rename from {one}\nrename to {path}\n"
    return refuse("outside", change, _placed(change, extra, rng))


def through_link(change: Change, rng: Random) -> Case | None:
    """A file behind a link, or a link for a file."""
    folder = rng.choice(["linked", "vendor/linked"])
    target = rng.choice(["..", ".", "docs"])
    before = {**change.before, folder: Link(target)}
    extra = _new(f"{folder}/new.py", rng)
    if rng.random() < 0.4:
        before = {**change.before, folder: Link(next(iter(sorted(change.before))))}
        extra = f"--- a/{folder}\n+++ b/{folder}\n@@ -1 +1 @@\n-x\n+y\n"
    return refuse("through a link", change, _placed(change, extra, rng), before)


def into_git(change: Change, rng: Random) -> Case:
    """A file of git's own."""
    path = rng.choice(
        [
            ".git/hooks/pre-commit",
            ".git/config",
            "pkg/.git/config",
            ".GIT/config",
            ".git./x",
            "git~1/x",
        ]
    )
    if rng.random() < 0.2:
        return refuse(
            "into .git", change, f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch\n"
        )
    return refuse("into .git", change, _placed(change, _new(path, rng), rng))


def binary(change: Change, rng: Random) -> Case:
    """Content that is no text."""
    name = "docs/logo.png"
    head = f"diff --git a/{name} b/{name}\nindex 1111111..2222222 100644\n"
    extra = rng.choice(
        [
            f"{head}Binary files a/{name} and b/{name} differ\n",
            f"{head}GIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n",
            f"Binary files old/{name} and new/{name} differ\n",
            f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+\x89PNG\0\0\n",
        ]
    )
    before = {**change.before, name: b"\x89PNG\0\0\0"}
    return refuse("binary", change, _placed(change, extra, rng), before)


def oversized(change: Change, rng: Random) -> Case:
    """More bytes, files or hunks than are taken."""
    what = rng.choice(["bytes", "files", "hunks"])
    if what == "bytes":
        rows = "".join(f"+{number:078}\n" for number in range(15_000))
        return refuse(
            "oversized", change, f"--- /dev/null\n+++ b/big.txt\n@@ -0,0 +1,15000 @@\n{rows}"
        )
    if what == "files":
        files = "".join(
            f"--- /dev/null\n+++ b/many/f{number}\n@@ -0,0 +1 @@\n+x\n" for number in range(201)
        )
        return refuse("oversized", change, change.patch + files)
    data = b"".join(b"%d\n" % number for number in range(1, 20_001))
    hunks = "".join(
        f"@@ -{at},2 +{at},2 @@\n {at}\n-{at + 1}\n+changed\n" for at in range(1, 20_001, 9)
    )
    before = {**change.before, "numbers.txt": data}
    return refuse("oversized", change, f"--- a/numbers.txt\n+++ b/numbers.txt\n{hunks}", before)


REFUSED: dict[str, Make] = {
    "ambiguous": ambiguous,
    "outside": outside,
    "through a link": through_link,
    "into .git": into_git,
    "binary": binary,
    "oversized": oversized,
}
