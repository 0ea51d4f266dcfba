"""What the engine makes of an entry: the right tree, a refusal, or a wrong tree."""

from collections.abc import Mapping
from typing import Literal

from tests.corpora.patches.case import Case
from tests.corpora.patches.tree import Link, Tree
from tools.patching import Entry, PatchRefusal, candidate_paths, parse, plan

__all__ = ["Outcome", "engine", "outcome"]

Outcome = Literal["right", "as written", "refused", "wrong"]


def outcome(case: Case, tree: Tree | None) -> Outcome:
    """Judge what came out; None stands for a refusal that left everything as it was."""
    if tree is None:
        return "refused"
    if tree == case.after:
        return "right"
    return "as written" if tree == case.as_written else "wrong"


def engine(case: Case) -> tuple[Tree | None, str]:
    """The tree that the engine makes, or None and why."""
    try:
        changes = parse(case.patch)
        tree = {path: _entry(path, case.before) for path in candidate_paths(changes)}
        made = plan(changes, tree)
    except PatchRefusal as refusal:
        return None, f"{refusal.reason}: {refusal.summary}"
    left = {path: what for path, what in case.before.items() if path not in made.deletes}
    return left | {
        write.path: Link(write.data.decode()) if write.link else write.data for write in made.writes
    }, ""


def _entry(path: str, tree: Mapping[str, bytes | Link]) -> Entry:
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts))]
    what = tree.get(path)
    link_above = any(isinstance(tree.get(one), Link) for one in above)
    file_above = any(isinstance(tree.get(one), bytes) for one in above)
    if link_above or (what is None and not any(one.startswith(f"{path}/") for one in tree)):
        return Entry(link_above=link_above, file_above=file_above)
    if what is None:
        return Entry("directory")
    if isinstance(what, Link):
        return Entry("link", what.target.encode())
    return Entry("file", what)
