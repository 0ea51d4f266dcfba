"""A well-formed section applied by its numbers alone."""

from tests.corpora.patches.diff import Section

__all__ = ["applied"]


def applied(data: bytes, section: Section) -> bytes:
    """What the section makes of a file.

    Raises:
        ValueError: the lines at its numbers are not those it names.
    """
    old = _split(data.decode("latin-1"))
    new: list[str] = []
    at = 0
    for hunk in section.hunks:
        start = hunk.old - 1 if hunk.old_count else hunk.old
        new += old[at:start]
        at = start
        for number, line in enumerate(hunk.lines):
            if line.startswith("\\"):
                continue
            ended = not hunk.lines[number + 1 : number + 2] or hunk.lines[number + 1][0] != "\\"
            text = line[1:] + "\n" * ended
            if line[0] != "+":
                if old[at] != text:
                    raise ValueError(f"{section.old}: line {at + 1} is not {text!r}")
                at += 1
            if line[0] != "-":
                new.append(text)
    return "".join([*new, *old[at:]]).encode("latin-1")


def _split(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
