"""Every byte of every command, on disk under a handle; the model sees head and tail of it."""

from dataclasses import dataclass, field
from pathlib import Path

from tools.testruns.ansi import strip_ansi

SHOWN_CHARS = 10_000
KEPT_BYTES = 10_000_000


@dataclass
class Outputs:
    """The outputs of one episode, in files `<directory>/<handle>.txt`."""

    directory: Path
    count: int = field(default=0, init=False)

    def save(self, content: bytes) -> str:
        """Keeps an output, up to 10 MB, and returns its handle."""
        self.count += 1
        handle = f"o{self.count}"
        self.path(handle).write_bytes(content[:KEPT_BYTES])
        return handle

    def path(self, handle: str) -> Path:
        """Where an output lies."""
        return self.directory / f"{handle}.txt"

    def lines(self, handle: str) -> list[str] | None:
        """The lines of an output without colours, None where the handle names none."""
        known = {f"o{number}" for number in range(1, self.count + 1)}
        if handle not in known:
            return None
        return plain(self.path(handle).read_bytes()).splitlines()


def plain(content: bytes) -> str:
    """Output as text without colours; invalid bytes as U+FFFD."""
    return strip_ansi(content.decode("utf-8", "replace")).replace("\r\n", "\n")


def shown(content: bytes, handle: str, limit_chars: int = SHOWN_CHARS) -> str:
    """What the model sees of an output: all of it, or head and tail and how to read the rest."""
    text = plain(content).strip("\n")
    if len(text) <= limit_chars:
        return text or "(no output)"
    head, tail = text[: limit_chars * 2 // 5], text[-limit_chars * 3 // 5 :]
    head, tail = head[: head.rfind("\n") + 1 or None], tail[tail.find("\n") + 1 :]
    left_out = text.count("\n") - head.count("\n") - tail.count("\n")
    note = f'[{left_out} lines left out; read_output(handle="{handle}") shows them]'
    return f"{head.rstrip()}\n{note}\n{tail}"
