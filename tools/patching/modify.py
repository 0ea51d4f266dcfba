"""One file's hunks against its content."""

from collections.abc import Sequence

from tools.patching.change import Hunk, Line
from tools.patching.explain import ambiguity_detail, mismatch_detail
from tools.patching.fuzz import fuzzy
from tools.patching.match import Evidence, Place, candidates, settle
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal
from tools.patching.rewrite import Rewritten, rewrite
from tools.patching.text import FileText

__all__ = ["modified", "search"]


def search(hunks: Sequence[Hunk], text: FileText) -> list[list[Place]]:
    """Where each hunk that changes anything could go; empty where it fits nowhere."""
    return [candidates(hunk, text) for hunk in hunks if hunk.changes]


def modified(
    name: str, hunks: Sequence[Hunk], text: FileText, seen: Evidence, *, numbers: bool = False
) -> Rewritten:
    """Apply all hunks of a file to its content; `numbers`: those of the headers are git's own.

    Raises:
        PatchRefusal: a hunk fits nowhere, or in several places, or is applied already.
    """
    changing = [hunk for hunk in hunks if hunk.changes]
    found = [
        places or fuzzy(hunk, text)
        for hunk, places in zip(changing, search(changing, text), strict=True)
    ]
    lost = [hunk for hunk, places in zip(changing, found, strict=True) if not places]
    if lost:
        raise _mismatch(name, changing, lost, text)
    unsure = [places for places in found if len(places) > 1 and places[0].fuzz]
    places, count = ([], 2) if unsure else settle(found, text, seen, numbers=numbers)
    if count == 0:
        raise PatchRefusal(
            Reason.DOES_NOT_MATCH,
            f"{name}: every hunk fits, but not in the order given and without touching another.",
        )
    if count > 1:
        raise PatchRefusal(
            Reason.AMBIGUOUS,
            f"{name}: more than one place fits, and the line numbers do not tell which is meant.",
            ambiguity_detail(unsure or found),
        )
    return rewrite(text, places, name)


def _mismatch(
    name: str, hunks: Sequence[Hunk], lost: Sequence[Hunk], text: FileText
) -> PatchRefusal:
    done = [hunk for hunk in lost if _is_done(hunk, text)]
    if len(done) == len(lost):
        some = len(lost) < len(hunks)
        what = f"{len(lost)} of {len(hunks)} hunks are" if some else "the change is"
        reason = Reason.DOES_NOT_MATCH if some else Reason.ALREADY_APPLIED
        return PatchRefusal(reason, f"{name}: {what} already applied.")
    left = [hunk for hunk in lost if hunk not in done]
    if not text.lines:
        return PatchRefusal(Reason.DOES_NOT_MATCH, f"{name}: the file is empty.")
    summary = f"{name}: {len(left)} of {len(hunks)} hunk{'s' * (len(hunks) > 1)} fit nowhere"
    summary += f" ({len(done)} more already applied)." if done else "."
    return PatchRefusal(Reason.DOES_NOT_MATCH, summary, mismatch_detail(left, text))


def _is_done(hunk: Hunk, text: FileText) -> bool:
    """Whether the lines that the hunk is to leave are there."""
    if hunk.growth < 0 and not (hunk.lead and hunk.trail):
        return False
    after = tuple(Line(" ", line.text) for line in hunk.after)
    return bool(after) and bool(candidates(Hunk(after), text))
