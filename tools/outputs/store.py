"""Every byte of every command, on disk under a handle; the model sees head and tail of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tools.outputs.capture import Capture
from tools.outputs.excerpt import SHOWN_CHARS, excerpt
from tools.outputs.lines import Lines
from tools.workspace.channels.channel import TAIL_BYTES
from tools.workspace.faults import InfraFault

OUTPUT_BYTES = 100_000_000
EPISODE_BYTES = 1_000_000_000


@dataclass
class Outputs:
    """The outputs of one episode, in files `<directory>/<handle>.txt`.

    Attributes:
        output_bytes: kept of one output.
        episode_bytes: kept of all; after that only the beginning and the end of each.
    """

    directory: Path
    output_bytes: int = OUTPUT_BYTES
    episode_bytes: int = EPISODE_BYTES
    count: int = field(default=0, init=False)
    _kept: dict[str, Lines] = field(default_factory=dict, init=False)
    _kept_bytes: int = field(default=0, init=False)

    @contextmanager
    def capture(self) -> Iterator[Capture]:
        """A sink under a new handle; the file is whole when the block ends, however it ends.

        Raises:
            InfraFault: `host_disk_full` where the host does not take the output.
        """
        self.count += 1
        handle = f"o{self.count}"
        room_bytes = min(self.output_bytes, self.episode_bytes - self._kept_bytes)
        capture = Capture(handle, self.path(handle), max(TAIL_BYTES, room_bytes))
        try:
            yield capture
        except BaseException:
            with suppress(InfraFault):  # what ends the block says more
                capture.close()
            raise
        else:
            capture.close()
        finally:
            self._kept[handle] = capture.lines
            self._kept_bytes += capture.lines.index.size_bytes

    def save(self, content: bytes) -> str:
        """Keeps an output that is at hand and returns its handle.

        Raises:
            InfraFault: `host_disk_full` where the host does not take it.
        """
        with self.capture() as capture:
            tail_at = max(capture.limit_bytes, len(content) - TAIL_BYTES)
            capture.write("stdout", content[: capture.limit_bytes])
            if tail_at > capture.limit_bytes:
                capture.skip("stdout", tail_at - capture.limit_bytes)
            capture.write("stdout", content[tail_at:])
        return capture.handle

    def path(self, handle: str) -> Path:
        """Where an output lies."""
        return self.directory / f"{handle}.txt"

    def lines(self, handle: str) -> Lines | None:
        """The lines of an output, None where the handle names none."""
        return self._kept.get(handle)

    def shown(self, handle: str, limit_chars: int = SHOWN_CHARS) -> str:
        """What the model sees of an output: all of it, or head and tail and how to read on."""
        with self._kept[handle].opened() as lines:
            return excerpt(lines, handle, limit_chars)
