"""Head and tail of an output within a budget, and a note of what lies between."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.outputs.display import display
from tools.outputs.lines import OpenLines

SHOWN_CHARS = 10_000
# Read at each end: more than the budget, for colours and overwritten lines do not show.
WINDOW_BYTES = 512 * 1024


@dataclass(frozen=True)
class End:
    """What there is at one end of an output, in the order in which it is taken.

    Attributes:
        torn: what is there of the line after `lines`.
    """

    lines: Sequence[str]
    torn: str = ""


@dataclass(frozen=True)
class Part:
    """What is shown of one end.

    Attributes:
        lines: whole lines.
        piece: of the line after them; empty where none is cut.
    """

    lines: tuple[str, ...]
    piece: str

    @property
    def all(self) -> tuple[str, ...]:
        """Everything that is shown."""
        return (*self.lines, self.piece) if self.piece else self.lines


def excerpt(
    file: OpenLines, handle: str, limit_chars: int = SHOWN_CHARS, window_bytes: int = WINDOW_BYTES
) -> str:
    """What the model sees of an output; the note between the ends comes on top of the limit.

    Args:
        window_bytes: read at each end, whatever the size of the output.
    """
    size_bytes = file.index.size_bytes
    if size_bytes <= 2 * window_bytes:
        lines = display(file.read(0, size_bytes))
        text = "\n".join(lines).strip("\n")
        if len(text) <= limit_chars:
            return text or "(no output)"
        first, last = End(lines), End(lines[::-1])
    else:
        first = _first(file.read(0, window_bytes))
        last = _last(file.read(size_bytes - window_bytes, size_bytes))
    head = _take(first, limit_chars * 2 // 5)
    tail = _take(last, limit_chars * 3 // 5, from_end=True)
    note = _note(file, head, tail, handle)
    return "\n".join([*head.all, *note, *reversed(tail.all)])


def _first(window: bytes) -> End:
    """A beginning; of a line that is being overwritten there is nothing to show yet."""
    whole, newline, torn = window.rpartition(b"\n")
    overwritten = b"\r" in torn.removesuffix(b"\r")
    # The cut may have gone through a character.
    text = "" if overwritten else "".join(display(torn)).removesuffix("\ufffd")
    return End(display(whole + newline), text)


def _last(window: bytes) -> End:
    """An end; the last state of an overwritten line is known without its beginning."""
    torn, newline, whole = window.partition(b"\n")
    _, overwritten, state = torn.removesuffix(b"\r").partition(b"\r")
    if overwritten:
        return End(display(state + newline + whole)[::-1])
    text = "".join(display(torn.lstrip(bytes(range(0x80, 0xC0)))))
    return End(display(whole)[::-1], text)


def _take(end: End, limit_chars: int, *, from_end: bool = False) -> Part:
    """Whole lines; a piece of one where much room would stay empty otherwise."""
    room = limit_chars
    taken: list[str] = []
    for line in end.lines:
        if len(line) + 1 > room:
            cut = line
            break
        taken.append(line)
        room -= len(line) + 1
    else:
        cut = end.torn
    if room <= max(1, limit_chars // 4):
        cut = ""
    return Part(tuple(taken), cut[1 - room :] if from_end else cut[: room - 1])


def _note(file: OpenLines, head: Part, tail: Part, handle: str) -> list[str]:
    count = file.index.count
    first, after = len(head.lines), count - len(tail.lines)
    if first == after:
        return []
    pieces = head.piece + tail.piece
    size_bytes = file.offset(after) - file.offset(first) - len(pieces.encode())
    if after - first == 1 and pieces:
        what = f"{max(0, size_bytes)} bytes of line {first} left out"
        how = f"start={first}, grep=...) shows places in it"
    else:
        torn = ", the outermost in part" if pieces else ""
        what = (
            f"lines {first} to {after - 1} of {count} left out{torn}: {after - first} lines, "
            f"{max(0, size_bytes)} bytes"
        )
        how = f"start={first}) shows them"
    return [f'[{what}; read_output(handle="{handle}", {how}]']
