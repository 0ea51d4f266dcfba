"""Changes of a realistic size, cut from the difference between two trees."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from tests.corpora.patches.diff import Section, render, sections_of
from tests.corpora.patches.sources import Files, git

__all__ = ["Change", "Pool", "changes", "difference", "pool"]

_MOST_LINES = 400
_BYSTANDERS = 6


@dataclass(frozen=True)
class Change:
    """A diff and the trees on both sides of it."""

    source: str
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    sections: tuple[Section, ...]

    @property
    def patch(self) -> str:
        """The undamaged diff, latin-1."""
        return render(self.sections)


@dataclass(frozen=True)
class Pool:
    """Two trees and the sections of the diff between them."""

    name: str
    old: Files
    new: Files
    sections: tuple[Section, ...]


def difference(old: Files, new: Files, scratch: Path) -> tuple[Section, ...]:
    """What `git diff` says between two trees, renames found; binary files are left out."""
    if not (scratch / ".git").is_dir():
        git(scratch, "init", "-q", ".")
    trees = [_tree(files, scratch) for files in (old, new)]
    text = git(scratch, "-c", "core.quotePath=false", "diff", "--no-color", "-M", *trees)
    return sections_of(text.decode("latin-1"))


def _tree(files: Files, scratch: Path) -> str:
    """Stores the files with one process, however many they are."""
    rows = [b"commit refs/heads/tree\ncommitter x <x> 0 +0000\ndata 0\ndeleteall\n"]
    for path, data in files.items():
        rows.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    git(scratch, "fast-import", "--quiet", "--force", given=b"".join(rows))
    return git(scratch, "rev-parse", "refs/heads/tree^{tree}").decode().strip()


def pool(name: str, old: Files, new: Files, scratch: Path, rng: Random) -> Pool:
    """The sections between two trees; some changed files are moved too, as real ones are."""
    both = sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    moved = dict(new)
    for path in rng.sample(both, len(both) // 5):
        folder, _, leaf = path.rpartition("/")
        target = f"{folder or 'moved'}/{rng.choice(['new_', 'core_'])}{leaf}"
        if target not in moved and target not in old:
            moved[target] = moved.pop(path)
    touched = {path for path in old.keys() | moved.keys() if old.get(path) != moved.get(path)}
    sections = difference(
        {path: old[path] for path in sorted(touched & old.keys())},
        {path: moved[path] for path in sorted(touched & moved.keys())},
        scratch,
    )
    small = [
        each for each in sections if 0 < _size(each) <= _MOST_LINES and '"' not in str(each)[:99]
    ]
    return Pool(name, old, moved, tuple(small))


def _size(section: Section) -> int:
    return sum(len(hunk.lines) for hunk in section.hunks) or (not section.hunks)


def changes(pools: Sequence[Pool], rng: Random, wanted: Sequence[str] = ()) -> Iterator[Change]:
    """Changes of one to eight files for ever; of `wanted` (`add`, `delete`, `rename`), some."""
    while True:
        here = rng.choice(pools)
        fitting = [each for each in here.sections if not wanted or _kind(each) in wanted]
        if not fitting:
            continue
        first = rng.choice(fitting)
        count = rng.choice([1, 1, 1, 2, 2, 3, 4, 6, 8])
        others = [each for each in here.sections if each is not first]
        chosen = {id(each) for each in [first, *rng.sample(others, min(count - 1, len(others)))]}
        sections = tuple(each for each in here.sections if id(each) in chosen)
        yield _change(here, sections, rng)


def _change(here: Pool, sections: tuple[Section, ...], rng: Random) -> Change:
    near = rng.sample(sorted(here.old.keys() & here.new.keys()), _BYSTANDERS)
    gone = {each.old for each in sections if each.old}
    come = {each.new for each in sections if each.new}
    others = [path for path in near if path not in gone | come]
    before = {path: here.old[path] for path in sorted({*gone, *others})}
    after = {path: here.old[path] for path in others} | {path: here.new[path] for path in come}
    if rng.random() < 0.6:
        sections = tuple(each.plain for each in sections)
        if rng.random() < 0.5:
            sections = tuple(
                replace(each, hunks=tuple(replace(hunk, heading="") for hunk in each.hunks))
                for each in sections
            )
    return Change(here.name, before, dict(sorted(after.items())), sections)


def _kind(section: Section) -> str:
    if section.old is None:
        return "add"
    if section.new is None:
        return "delete"
    return "modify" if section.old == section.new else "rename"
