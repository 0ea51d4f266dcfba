"""Printable text in the cells of a terminal: a character takes one, two or none."""

from rich.cells import cell_len, set_cell_size


def cells(text: str) -> int:
    """How many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, *, keep_end: bool = False) -> str:
    """`text` in exactly `width` cells: filled up with blanks, or cut where an ellipsis says so.

    Args:
        keep_end: cut at the front, where the end tells one from another.
    """
    spare = width - cells(text)
    if spare >= 0:
        return text + " " * spare
    if width <= 1:
        return "…"[:width]
    if not keep_end:
        return set_cell_size(text, width - 1) + "…"
    end = "…" + text[1 - width :]
    while cells(end) > width:  # one character at a time, as what joins with its neighbour is no sum
        end = "…" + end[2:]
    return end + " " * (width - cells(end))


def flow(parts: list[str], width: int, joint: str = " · ") -> list[str]:
    """`parts` joined into lines of at most `width` cells; a part that is longer is cut."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + cells(joint) + cells(part) <= width:
            lines[-1] += joint + part
        else:
            lines.append(part if cells(part) <= width else fit(part, width))
    return lines
