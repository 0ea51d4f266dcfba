"""From what a script printed to the log that is read: SWE-bench's own, with true markers only.

Nothing here holds a log in memory; it may be a flood.
"""

import codecs
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

# swebench.harness.constants, word for word; this module runs where the package is not imported.
APPLY_FAILED = ">>>>> Patch Apply Failed"
START = ">>>>> Start Test Output"
END = ">>>>> End Test Output"
EXIT_CODE = ">>>>> Test Exit Code"
CHUNK_BYTES = 1 << 20
SHOWN_BYTES = 64 * 1024
# What output itself says of them is made to say nothing.
DEFUSED = {
    name.encode(): name.replace(">>>>> ", ">>>>>_").encode() for name in (START, END, EXIT_CODE)
}
_LONGEST = max(map(len, DEFUSED))


class RawLog:
    """A sink on disk for both streams of a command."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.dropped_bytes = 0

    def write(self, source: Literal["stdout", "stderr"], chunk: bytes) -> None:
        """See `Sink.write`."""
        self._file.write(chunk)

    def skip(self, source: Literal["stdout", "stderr"], size_bytes: int) -> None:
        """See `Sink.skip`."""
        self.dropped_bytes += size_bytes
        self._file.write(f"\n[{size_bytes} bytes were dropped here]\n".encode())


@dataclass(frozen=True)
class Section:
    """Where the tests' output stands in a raw log.

    Attributes:
        installed: whether every install line before the tests ended with 0.
        end: None where the end marker is missing.
    """

    installed: bool
    marker: int
    begin: int
    end: int | None
    rest: int


@dataclass(frozen=True)
class Composed:
    """What was found while a log was composed.

    Attributes:
        started, ended: whether the tests did.
        shown: the end of the tests' output, for people.
    """

    started: bool
    ended: bool
    installed: bool
    shown: str


def compose_log(
    raw: Path, made: Path, nonce: str, exit_code: int | None, timeout_s: float | None
) -> Composed:
    """Writes the log as the official harness would have it.

    Args:
        exit_code: the script's.
        timeout_s: the limit it met; None where it met none.
    """
    with _mapped(raw) as text, made.open("w", encoding="utf-8", newline="") as file:
        section = find_section(text, nonce)
        if section is None:
            _copy(text, 0, len(text), file)
            _tell_limit(file, timeout_s)
            return Composed(started=False, ended=False, installed=True, shown="")
        _copy(text, 0, section.marker, file)
        file.write(f"+ : '{START}'\n")
        end = len(text) if section.end is None else section.end
        _copy(text, section.begin, end, file)
        if section.end is not None:
            file.write(f"+ SWEBENCH_TEST_EXIT_CODE={exit_code}\n+ : '{END}'\n")
            file.write(f"+ echo '{EXIT_CODE}: {exit_code}'\n{EXIT_CODE}: {exit_code}\n")
            _copy(text, section.rest, len(text), file)
        _tell_limit(file, timeout_s)
        shown = text[max(section.begin, end - SHOWN_BYTES) : end]
    return Composed(
        started=True,
        ended=section.end is not None,
        installed=section.installed,
        shown=shown.decode(errors="replace"),
    )


def compose_failure(apply_output: bytes, made: Path) -> None:
    """The log of a patch that does not apply."""
    for name, harmless in DEFUSED.items():
        apply_output = apply_output.replace(name, harmless)
    text = apply_output.decode(errors="replace")
    made.write_text(f"{APPLY_FAILED}:\n{text}", encoding="utf-8", newline="")


def find_section(text: "bytes | mmap.mmap", nonce: str) -> Section | None:
    """The tests' output: from the last true start marker to the last end marker after it."""
    start, end = f"\nstart {nonce} ".encode(), f"\nend {nonce}\n".encode()
    marker = text.rfind(start)
    line_end = text.find(b"\n", marker + 1) if marker >= 0 else -1
    if line_end < 0:
        return None
    installed = text[marker + len(start) : line_end] == b"0"
    begin = line_end + 1
    found = text.rfind(end, begin)
    if found < 0:
        return Section(installed, marker, begin, None, len(text))
    return Section(installed, marker, begin, found, found + len(end))


def output_of_tests(path: Path, limit_bytes: int) -> bytes | None:
    """What stands between the markers of a composed log; None where that is more than the limit."""
    with _mapped(path) as text:
        begin, end = _bounds(text)
        return text[begin:end] if end - begin <= limit_bytes else None


def shown_output(path: Path) -> str:
    """The end of it, for people."""
    with _mapped(path) as text:
        begin, end = _bounds(text)
        return text[max(begin, end - SHOWN_BYTES) : end].decode(errors="replace")


def _bounds(text: "bytes | mmap.mmap") -> tuple[int, int]:
    """Where the tests' output stands in a composed log; an empty place where there is none."""
    start = text.find(START.encode())
    if start < 0:
        return 0, 0
    begin = text.find(b"\n", start) + 1
    end = text.find(END.encode(), begin)
    # The lines between the output and the end marker are the shell's trace.
    return begin, len(text) if end < 0 else text.rfind(b"+ SWEBENCH_TEST_EXIT_CODE=", begin, end)


def _tell_limit(file: IO[str], timeout_s: float | None) -> None:
    if timeout_s is not None:
        file.write(f"\n\nTimeout error: {timeout_s:.0f} seconds exceeded.")


@contextmanager
def _mapped(path: Path) -> "Iterator[bytes | mmap.mmap]":
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            yield text


def _copy(text: "bytes | mmap.mmap", begin: int, end: int, file: IO[str]) -> None:
    """Copies output, decoded as the official harness does, its imitated markers defused."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    kept = b""
    for at in range(begin, end, CHUNK_BYTES):
        kept += text[at : min(at + CHUNK_BYTES, end)]
        for name, harmless in DEFUSED.items():
            kept = kept.replace(name, harmless)
        # A marker may begin in this piece and end in the next.
        file.write(decode(kept[: -_LONGEST + 1]))
        kept = kept[-_LONGEST + 1 :]
    file.write(decode(kept, True))
