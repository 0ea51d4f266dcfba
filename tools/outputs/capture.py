"""The sink of a command whose output is kept on disk as it comes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.outputs.lines import LineIndex, Lines
from tools.workspace.channels.channel import Source
from tools.workspace.faults import FaultKind, InfraFault

STDERR_MARK = b"--- stderr ---\n"
STDERR_IN_MEMORY_BYTES = 1 << 20
COPY_BYTES = 1 << 18


class Capture:
    """Writes stdout to a file at once, and stderr below it at the end.

    Both `write` and `skip` raise `InfraFault` (`host_disk_full`) where the host does not take it.

    Attributes:
        limit_bytes: what the command's `max_output_bytes` is to be.
    """

    def __init__(self, handle: str, path: Path, limit_bytes: int) -> None:
        self.handle = handle
        self.limit_bytes = limit_bytes
        self.lines = Lines(path, LineIndex())
        self._closed = False
        self._stderr_ends_line = True
        with host_disk(path):
            self._file = path.open("wb", buffering=0)
            # Unnamed, so that nothing of it is left whatever ends the process.
            self._stderr = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - `close` does it
                STDERR_IN_MEMORY_BYTES, "w+b", dir=str(path.parent)
            )

    def write(self, source: Source, chunk: bytes) -> None:
        """See `Sink.write`; what comes after a cancellation is dropped."""
        if self._closed or not chunk:
            return
        with host_disk(self.lines.path):
            if source == "stdout":
                self._append(chunk)
            else:
                self._stderr.write(chunk)
                self._stderr_ends_line = chunk.endswith(b"\n")

    def skip(self, source: Source, size_bytes: int) -> None:
        """See `Sink.skip`; a line of its own says it in the file."""
        ends_line = self.lines.index.ends_line if source == "stdout" else self._stderr_ends_line
        self.write(source, (b"" if ends_line else b"\n") + skip_note(size_bytes))

    def close(self) -> None:
        """Puts stderr below stdout and closes the file."""
        if self._closed:
            return
        self._closed = True
        with host_disk(self.lines.path), self._file, self._stderr:
            if self._stderr.tell() and self.lines.index.size_bytes:
                self._append((b"" if self.lines.index.ends_line else b"\n") + STDERR_MARK)
            self._stderr.seek(0)
            while chunk := self._stderr.read(COPY_BYTES):
                self._append(chunk)

    def _append(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            written = self._file.write(rest)
            rest = rest[written:]
        self.lines.index.add(chunk)


def skip_note(size_bytes: int) -> bytes:
    """The line that stands where output was left out."""
    return b"[%d bytes of output left out here: more than is kept]\n" % size_bytes


@contextmanager
def host_disk(path: Path) -> Iterator[None]:
    """Whatever the host's disk refuses is the world's fault, never the command's."""
    try:
        yield
    except OSError as error:
        message = f"cannot write {path}: {error.strerror or error}; make room on this disk"
        raise InfraFault(FaultKind.HOST_DISK_FULL, message) from error
