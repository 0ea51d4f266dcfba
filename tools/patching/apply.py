"""From the changes of a patch and the files they name to all that is to be written."""

from collections.abc import Mapping, Sequence

from tools.patching.change import Action, FileChange, Line
from tools.patching.checksum import is_genuine
from tools.patching.draft import Draft
from tools.patching.entry import Entry
from tools.patching.limits import PatchLimits
from tools.patching.match import Evidence, Place, evidence
from tools.patching.modify import search
from tools.patching.outcome import Plan
from tools.patching.paths import Target, resolve
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.text import FileText
from tools.patching.white_space import WhiteSpace

__all__ = ["plan"]


def plan(
    changes: Sequence[FileChange], tree: Mapping[str, Entry], limits: PatchLimits | None = None
) -> Plan:
    """Work out what a patch does to a project, without touching it.

    `tree` holds what stands at each of `candidate_paths(changes)`; a path it does not hold is
    missing. Sections apply in order, each on what those before it leave.

    Raises:
        PatchRefusal: anything at all is wrong with any file.
    """
    limits = limits or PatchLimits()
    check_size(changes, limits)
    resolved = resolve(changes, tree)
    _check_repeated(resolved)
    genuine = any(
        is_genuine(change, tree.get(target.old or "", Entry()).data)
        for change, target in resolved
        if target.old
    )
    draft = Draft(tree, *_evidence(resolved, tree), genuine=genuine)
    outcomes = tuple(draft.apply(change, target) for change, target in resolved)
    writes, deletes = draft.result()
    if not writes and not deletes:
        raise PatchRefusal(Reason.NOTHING_TO_DO, "The patch leaves every file as it is.")
    return Plan(outcomes, writes, deletes)


def check_size(changes: Sequence[FileChange], limits: PatchLimits) -> None:
    """Refuses a patch with more files or hunks than are taken.

    Raises:
        PatchRefusal: it has more.
    """
    hunks = sum(len(change.hunks) for change in changes)
    for number, most, what in (
        (len(changes), limits.max_files, "files"),
        (hunks, limits.max_hunks, "hunks"),
    ):
        if number > most:
            raise PatchRefusal(
                Reason.OVERSIZED, f"The patch has {number:,} {what}; at most {most:,} are taken."
            )


def _check_repeated(resolved: Sequence[tuple[FileChange, Target]]) -> None:
    """Refuse a file with two sections that share a hunk: it may be there twice by accident."""
    seen: dict[str, set[tuple[Line, ...]]] = {}
    for change, target in resolved:
        name = target.old or target.new or ""
        earlier = seen.setdefault(name, set())
        for hunk in change.hunks:
            if hunk.lines in earlier:
                raise PatchRefusal(
                    Reason.MALFORMED,
                    f"{name}: the hunk on line {hunk.patch_line} of the patch stands in an earlier "
                    "section of the same file too.",
                )
        earlier.update(hunk.lines for hunk in change.hunks)


def _evidence(
    resolved: Sequence[tuple[FileChange, Target]], tree: Mapping[str, Entry]
) -> tuple[Evidence, WhiteSpace]:
    total = Evidence()
    space = WhiteSpace()
    for change, target in resolved:
        entry = tree.get(target.old or "", Entry())
        if entry.kind == "file" and change.action is not Action.ADD:
            text = FileText.of(entry.data)
            found = search(change.hunks, text)
            total += evidence(found)
            space += WhiteSpace.of([_likely(places) for places in found if places], text)
    return total, space


def _likely(places: Sequence[Place]) -> Place:
    """The place that the header names, else the first: enough to compare white space."""
    stated = [place for place in places if place.hunk.old and place.hunk.old.index == place.start]
    return (stated or places)[0]
