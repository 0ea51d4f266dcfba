"""A stream that never makes its writer wait."""

import os
import select
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Self

# How long the end waits for a reader that takes nothing, and where an error or Ctrl-C is the end.
PATIENCE_S = 10.0
HURRY_S = 1.0


class Outlet:
    """Writes to a stream, inside `with` from a thread of its own.

    A terminal that is held (Ctrl-S) or a pipe whose reader sleeps would stop everything that goes
    on in the process; here it only keeps its lines waiting, in memory. A stream without a file
    descriptor is written to at once.

    Attributes:
        failed: why nothing can be written any more, None while it can.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.failed: OSError | None = None
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._progressed = False

    def __enter__(self) -> Self:
        try:
            descriptor = self.stream.fileno()
        except OSError:  # io.UnsupportedOperation: a stream in memory
            return self
        self.stream.flush()
        self._thread = Thread(target=self._drain, args=(descriptor,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Waits for what is not written yet, as long as the reader takes some of it."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._queue.put(None)
        thread.join(HURRY_S if kind else PATIENCE_S)
        while thread.is_alive() and kind is None and self._progressed:
            self._progressed = False
            thread.join(PATIENCE_S)

    @property
    def is_behind(self) -> bool:
        """Whether something waits behind what is being written."""
        return not self._queue.empty()

    def write(self, text: str) -> int:
        """Takes text; it is written as soon as the reader lets it."""
        if self.failed is not None:
            return len(text)
        if self._thread is not None:
            self._queue.put(text.encode(self.encoding, "backslashreplace"))
            return len(text)
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError as error:
            self.failed = error
        return len(text)

    def flush(self) -> None:
        """Nothing: every write is on its way."""

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Of the stream."""
        return self.stream.fileno()

    def _drain(self, descriptor: int) -> None:
        """Past Python's buffer, whose lock a writer that hangs would hold until the end."""
        while (chunk := self._queue.get()) is not None:
            if self.failed is None:
                try:
                    self._write_all(descriptor, chunk)
                except OSError as error:
                    self.failed = error

    def _write_all(self, descriptor: int, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
                self._progressed = True
            except BlockingIOError:  # whoever shares the terminal has made it so
                select.select((), (descriptor,), ())
