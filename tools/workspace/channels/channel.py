"""How commands run in a container: one interface, whatever carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

OUTPUT_LIMIT_BYTES = 10_000_000
TAIL_BYTES = 64 * 1024
NOT_STARTED = 126

Source = Literal["stdout", "stderr"]


class Limit(StrEnum):
    """What ended a command that did not end by itself."""

    TIME = "time"
    DISK = "disk"


@dataclass(frozen=True)
class Command:
    """What to run.

    Attributes:
        argv: program and arguments; no shell unless it names one.
        stdin: bytes the command reads; empty means an empty standard input.
        timeout_s: seconds after which everything the command started is ended.
        max_output_bytes: bytes kept from the start, of stdout and stderr together; of what comes
            later the last `TAIL_BYTES` of each stream are kept as well, the rest is dropped.
    """

    argv: tuple[str, ...]
    cwd: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    timeout_s: float = 60.0
    max_output_bytes: int = OUTPUT_LIMIT_BYTES


@dataclass(frozen=True)
class Execution:
    """How a command ended.

    Attributes:
        exit_code: 128 + n where signal n ended it; None where a limit did.
        stdout, stderr: empty where the output went to a sink of the caller's.
        dropped_bytes: output between the kept start and the kept end of the streams.
        limit: what ended it where `exit_code` is None.
        oom_kills: processes of the container that were killed meanwhile for want of memory.
        refused_forks: processes that were not started meanwhile for want of room in the container.
        background_ended: what earlier commands had left running was ended first, to make room.
        host_free_bytes: room on the disk that holds the container; None where nobody knows.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    dropped_bytes: int
    duration_s: float
    limit: Limit | None = None
    oom_kills: int = 0
    refused_forks: int = 0
    background_ended: bool = False
    host_free_bytes: int | None = None

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it; what it wrote until then is kept."""
        return self.limit is Limit.TIME

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with 0."""
        return self.exit_code == 0

    @property
    def output(self) -> bytes:
        """Both streams, stdout first."""
        glue = b"\n" if self.stdout and self.stderr and not self.stdout.endswith(b"\n") else b""
        return self.stdout + glue + self.stderr


class Sink(Protocol):
    """Takes a command's output as it comes, so that nobody holds all of it."""

    def write(self, source: Source, chunk: bytes) -> None:
        """The next bytes of a stream."""
        ...

    def skip(self, source: Source, size_bytes: int) -> None:
        """So many bytes of the stream were dropped at this place."""
        ...


@dataclass
class Held:
    """The sink of a caller who names none: both streams in memory."""

    chunks: dict[Source, list[bytes]] = field(default_factory=lambda: {"stdout": [], "stderr": []})

    def write(self, source: Source, chunk: bytes) -> None:
        """See `Sink.write`."""
        self.chunks[source].append(chunk)

    def skip(self, source: Source, size_bytes: int) -> None:
        """The execution's `dropped_bytes` says it."""

    def bytes_of(self, source: Source) -> bytes:
        """All of a stream."""
        return b"".join(self.chunks[source])


class Channel(Protocol):
    """Runs commands in one running container, several at a time.

    A command that ended leaves its background processes running; one that meets its time limit
    has everything it started ended, daemons included, and keeps its partial output. Cancellation
    is passed on at once, and what the command started is ended before the next one runs.
    """

    async def run(self, command: Command, sink: Sink | None = None) -> Execution:
        """Runs a command to its end or its limit.

        Args:
            sink: takes the output instead of the execution, as it comes.

        Raises:
            InfraFault: `container_lost` or `engine_unavailable`; never for what the command did.
        """
        ...
