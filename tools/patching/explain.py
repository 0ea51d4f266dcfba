"""The texts about a patch: how it was applied, or why not and what to try."""

from collections.abc import Sequence

from tools.patching.change import Action, Hunk
from tools.patching.closest import closest
from tools.patching.match import Place
from tools.patching.outcome import FileOutcome, Plan
from tools.patching.reasons import Reason
from tools.patching.text import FileText

__all__ = ["ambiguity_detail", "mismatch_detail", "refusal_text", "success_text"]

_MAX_DETAIL_LINES = 60
_MAX_WIDTH = 200

_FORMAT = (
    "Send a unified diff: `--- a/FILE`, `+++ b/FILE`, then hunks that begin with `@@` and whose "
    "lines begin with a blank, - or +."
)
_ADVICE = {
    Reason.MALFORMED: _FORMAT,
    Reason.EMPTY: _FORMAT,
    Reason.INCOMPLETE: "Send all of it again. If nothing is missing, leave out `index` lines and "
    "write `@@` without numbers.",
    Reason.NOTHING_TO_DO: "If a change was meant, look at the - and + lines: they are the same.",
    Reason.ALREADY_APPLIED: "Go on with the next step, or look at the file again.",
    Reason.DOES_NOT_MATCH: "Read the file where the change belongs and copy the context and - "
    "lines exactly, with their indentation.",
    Reason.AMBIGUOUS: "Add context lines above or below, until the place is the only one of its "
    "kind.",
    Reason.WHITE_SPACE: "Copy context and - lines exactly from the file, white space at their "
    "ends included; after a last line without a line feed write `\\ No newline at end of file`.",
    Reason.OVERSIZED: "Send the change in smaller patches.",
    Reason.OUTSIDE: "Name files by their path from the project's root.",
    Reason.THROUGH_LINK: "Name the file itself, not a path through a symbolic link.",
    Reason.INTO_GIT: "Change only the project's own files.",
    Reason.BINARY: "Only text can be patched; make other files with a shell command.",
    Reason.SUBMODULE: "Change only the project's own files.",
    Reason.FILE_EXISTS: "To change a file that is there, send a diff against its content.",
    Reason.FILE_MISSING: "Check the path from the project's root; a new file needs "
    "`--- /dev/null` and all its lines marked +.",
    Reason.NOT_A_FILE: "Check the path from the project's root.",
    Reason.NOT_WRITTEN: "Check that the files and their directories can be written.",
}


def refusal_text(reason: Reason, summary: str, detail: str = "") -> str:
    """What a model reads about a patch that was refused."""
    parts = [f"The patch was not applied ({reason}). {summary}", detail]
    parts.append(f"Nothing was changed. {_ADVICE[reason]}")
    return "\n".join(part for part in parts if part)


def success_text(plan: Plan) -> str:
    """What a model reads about a patch that was applied: each file, its lines, how it fitted."""
    count = len(plan.files)
    rows = [f"The patch was applied: {count} file{'s' if count != 1 else ''}."]
    rows.extend(_row(outcome) for outcome in plan.files)
    return "\n".join(rows)


def _row(outcome: FileOutcome) -> str:
    moved = outcome.action in (Action.RENAME, Action.COPY)
    path = f"{outcome.source} -> {outcome.path}" if moved else outcome.path
    lines = f"+{outcome.added_lines} -{outcome.removed_lines}"
    return f"  {outcome.action} {path} ({lines}; {', '.join(outcome.how)})"


def mismatch_detail(hunks: Sequence[Hunk], text: FileText) -> str:
    """For hunks that fit nowhere: the lines expected and the lines there, within 60 lines."""
    share = max(6, _MAX_DETAIL_LINES // max(1, len(hunks)))
    rows: list[str] = []
    for hunk in hunks:
        rows.extend(_mismatch(hunk, text, share))
    if len(rows) > _MAX_DETAIL_LINES:
        left = len(rows) - _MAX_DETAIL_LINES + 1
        rows = [*rows[: _MAX_DETAIL_LINES - 1], f"({left} more lines on other hunks left out)"]
    return "\n".join(rows)


def _mismatch(hunk: Hunk, text: FileText, budget: int) -> list[str]:
    if not hunk.before:
        return [f"Hunk on line {hunk.patch_line} of the patch has no context and no - line."]
    half = max(2, (budget - 2) // 2)
    near = closest(hunk, text)
    there = set() if near is None else {line.strip() for line in near.lines}
    expected = [(line.text.strip() in there, line.mark, line.text) for line in hunk.before]
    cut = _window([alike for alike, _, _ in expected], half)
    rows = [f"Hunk on line {hunk.patch_line} of the patch expects (! = not there):"]
    rows += [f"{' ' if alike else '!'} {mark}{_show(line)}" for alike, mark, line in expected[cut]]
    if near is None:
        return [*rows, f"Nothing like it is in the file ({len(text.lines)} lines)."]
    rows.append("The closest lines of the file (! = not in the hunk):")
    cut = _window(near.alike, half)
    for at in range(len(near.lines))[cut]:
        rows.append(
            f"{' ' if near.alike[at] else '!'} {near.start + at + 1:5} {_show(near.lines[at])}"
        )
    return rows


def _window(alike: Sequence[bool], size: int) -> slice:
    """As many rows as fit, the first that is not alike among them."""
    first = next((at for at, same in enumerate(alike) if not same), 0)
    start = max(0, min(first - 3, len(alike) - size))
    return slice(start, start + size)


def _show(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    shown = text if len(text) <= _MAX_WIDTH else text[:_MAX_WIDTH] + "..."
    return shown.replace("\r", "\\r")


def ambiguity_detail(found: Sequence[Sequence[Place]]) -> str:
    """For hunks with several places: the lines, from 1, at which each would fit."""
    rows = []
    for places in found:
        if len(places) > 1:
            lines = ", ".join(str(place.start + 1) for place in places[:8])
            more = f" and {len(places) - 8} more" if len(places) > 8 else ""
            number = places[0].hunk.patch_line
            rows.append(f"Hunk on line {number} of the patch fits equally well at {lines}{more}.")
    return "\n".join(rows[:_MAX_DETAIL_LINES])
