"""Searches a file line by line, as a process that can be ended: see `tools.outputs.grep`.

It imports what it needs and no more, for it is started for every search.
"""

import json
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from tools.outputs.display import display

CHUNK_BYTES = 1 << 20
# Of a longer line only so much is searched.
LONGEST_LINE_BYTES = 8 << 20
MEMORY_BYTES = 1 << 30
# Whoever would have ended it may be gone.
CPU_S = 30
Said = dict[str, int | str | None]

GIVES_UP = (re.error, RecursionError, OverflowError)


def chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Whole lines, many at a time; True for one that is too long and lacks its end."""
    rest = b""
    while piece := file.read(CHUNK_BYTES):
        whole, newline, torn = piece.rpartition(b"\n")
        if newline:
            yield rest + whole + newline, False
            rest = torn
        elif len(rest := rest + piece) > LONGEST_LINE_BYTES:
            yield rest[:LONGEST_LINE_BYTES], True
            rest = _after_line(file)
    if rest:
        yield rest, False


def _after_line(file: IO[bytes]) -> bytes:
    """Reads to the end of a line and returns what was read of the next."""
    while piece := file.read(CHUNK_BYTES):
        _, newline, rest = piece.partition(b"\n")
        if newline:
            return rest
    return b""


def around(line: str, place: int, limit_chars: int) -> str:
    """A line, or where it is long the surroundings of a place in it."""
    if len(line) <= limit_chars:
        return line
    begin = max(0, min(place - limit_chars // 3, len(line) - limit_chars))
    end = begin + limit_chars
    return f"[characters {begin} to {end - 1} of {len(line)}:] {line[begin:end]}"


def search(
    path: str, pattern: str, offset: int, number: int, lines: int, chars: int, line_chars: int
) -> Iterator[Said]:
    """Says each match within the budget, after each chunk how far it is, and at last how many.

    Args:
        offset, number: where in the file to begin, and the number of the line there.
    """
    find = re.compile(pattern).search
    yield {"at": number}
    matches, cut_lines, after = 0, 0, None
    with open(path, "rb") as file:  # noqa: PTH123 - one import less
        file.seek(offset)
        for content, is_cut in chunks(file):
            cut_lines += is_cut
            texts = display(content)
            for place in [place for place, text in enumerate(texts) if find(text)]:
                matches += 1
                if after is not None:
                    continue
                found = find(texts[place])
                text = around(texts[place], found.start() if found else 0, line_chars)
                chars -= len(f"{number + place}: {text}\n")
                if matches > lines or chars < 0:
                    after = number + place
                else:
                    yield {"at": number + place, "text": text}
            number += len(texts)
            yield {"at": number}
    yield {"at": number, "matches": matches, "after": after, "cut_lines": cut_lines}


def _say(message: Said) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Takes the arguments of `search` as JSON on standard input."""
    with suppress(ValueError, OSError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        for message in search(**json.load(sys.stdin)):
            _say(message)
    except GIVES_UP as error:
        _say({"invalid": str(error)})
    except MemoryError:
        _say({"failed": "it needs too much memory"})


if __name__ == "__main__":
    main()
