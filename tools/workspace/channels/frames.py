"""The protocol between a channel and the init of its container; docker/init/ is the other side."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from math import ceil

from tools.workspace.channels.channel import TAIL_BYTES, Command

INPUT_WINDOW_BYTES = 256 * 1024
MOST_REQUEST_BYTES = 16 << 20

_HEADER = struct.Struct("<IIB")
_REQUEST = struct.Struct("<QQQIII")
_ENDED = struct.Struct("<IIQQQ")
_PAIR = struct.Struct("<QQ")
_ONE = struct.Struct("<Q")


class ToInit(IntEnum):
    """What the host asks."""

    RUN = 1
    INPUT = 2
    INPUT_END = 3
    END_COMMAND = 4
    RENEW = 5
    END_BACKGROUND = 6
    END_ALL = 7
    LOOK = 8


class FromInit(IntEnum):
    """What init says."""

    OUT = 1
    ERR = 2
    CREDIT = 3
    SKIPPED = 4
    ENDED = 5
    ALL_ENDED = 6
    LOOKED = 7


class How(IntEnum):
    """How a command ended."""

    EXITED = 0
    SIGNALLED = 1
    OUT_OF_TIME = 2
    ON_REQUEST = 3
    NOT_STARTED = 4


@dataclass(frozen=True)
class Frame:
    """One message; `number` is the command's or the question's."""

    number: int
    type: FromInit
    payload: bytes


@dataclass(frozen=True)
class Ended:
    """The end of a command.

    Attributes:
        value: exit code, signal, or errno where it was not started.
        free_bytes: room on the disk that holds the container.
    """

    how: How
    value: int
    oom_kills: int
    refused_forks: int
    free_bytes: int

    @classmethod
    def of(cls, payload: bytes) -> "Ended":
        """Reads an `ENDED` frame."""
        how, *rest = _ENDED.unpack(payload)
        return cls(How(how), *rest)


@dataclass(frozen=True)
class Disk:
    """What init sees of the disk.

    Attributes:
        unlinked_bytes: held by open files that have no name any more.
        free_bytes: room on the disk that holds the container.
        hole_bytes: how much smaller sparse files are than they say; 0 where nobody asked.
    """

    unlinked_bytes: int
    free_bytes: int
    hole_bytes: int

    @classmethod
    def of(cls, payload: bytes) -> "Disk":
        """Reads a `LOOKED` frame."""
        return cls(*_PAIR.unpack(payload[:16]), *_ONE.unpack(payload[16:]))


def frame(number: int, type_: ToInit, payload: bytes = b"") -> bytes:
    """A message to init."""
    return _HEADER.pack(len(payload), number, type_) + payload


def request(number: int, command: Command) -> bytes:
    """The message that starts a command.

    Raises:
        ValueError: an argument holds a NUL byte, which no program can be given, or all of them are
            longer than init takes: it would end, and with it the container.
    """
    env = [f"{name}={value}" for name, value in command.env.items()]
    texts = [command.cwd, *command.argv, *env]
    encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
    if any(b"\0" in text for text in encoded):
        raise ValueError("a command line cannot hold a NUL byte")
    fixed = _REQUEST.pack(
        max(1, ceil(command.timeout_s * 1000)),
        command.max_output_bytes,
        TAIL_BYTES,
        bool(command.stdin),
        len(command.argv),
        len(env),
    )
    payload = fixed + b"".join(text + b"\0" for text in encoded)
    if len(payload) > MOST_REQUEST_BYTES:
        raise ValueError(f"a command line of {len(payload)} bytes is more than init takes")
    return frame(number, ToInit.RUN, payload)


def lease(number: int, lease_s: float) -> bytes:
    """The message that sets the lease anew; 0 seconds stand for ever."""
    return frame(number, ToInit.RENEW, _ONE.pack(ceil(lease_s * 1000)))


def look(number: int, *, holes: bool) -> bytes:
    """The question for `Disk`; `holes` walks all files."""
    return frame(number, ToInit.LOOK, bytes([holes]))


def credit(payload: bytes) -> int:
    """Bytes of input that a command has taken."""
    return int(_ONE.unpack(payload)[0])


def skipped(payload: bytes) -> tuple[int, FromInit]:
    """How many bytes were dropped, of which stream."""
    size_bytes, stream = _PAIR.unpack(payload)
    return size_bytes, FromInit(stream)


class Frames:
    """Cuts what init sends into frames, however it arrives."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Takes the next bytes and gives the frames that are whole.

        Raises:
            ValueError: this is not the protocol.
        """
        self._held += chunk
        while len(self._held) >= _HEADER.size:
            size_bytes, number, type_ = _HEADER.unpack_from(self._held)
            end = _HEADER.size + size_bytes
            if len(self._held) < end:
                return
            yield Frame(number, FromInit(type_), bytes(self._held[_HEADER.size : end]))
            del self._held[:end]
