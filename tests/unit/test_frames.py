"""The protocol between a channel and init, as far as one side shows it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.workspace.channels.channel import TAIL_BYTES, Command
from tools.workspace.channels.exec_channel import _Kept
from tools.workspace.channels.frames import MOST_REQUEST_BYTES, Frame, Frames, FromInit, request

FRAMES = st.lists(
    st.builds(Frame, st.integers(0, 2**32 - 1), st.sampled_from(FromInit), st.binary(max_size=40)),
    max_size=8,
)


def wire(frame: Frame) -> bytes:
    """A frame as init writes it."""
    return struct.pack("<IIB", len(frame.payload), frame.number, frame.type) + frame.payload


@given(FRAMES, st.data())
def test_frames_are_found_however_they_arrive(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(wire(frame) for frame in frames)
    cutter, found = Frames(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += list(cutter.feed(stream[:size]))
        stream = stream[size:]
    assert found == frames


def test_frame_of_unknown_type_is_no_protocol_of_ours() -> None:
    with pytest.raises(ValueError, match="99"):
        list(Frames().feed(struct.pack("<IIB", 0, 1, 99)))


def test_request_holds_everything_in_its_order() -> None:
    command = Command(("a", "", "b c"), "/x", {"E": "1"}, b"in", 1.5, 1000)
    message = request(7, command)
    size, number, type_ = struct.unpack_from("<IIB", message)
    assert (size, number, type_) == (len(message) - 9, 7, 1)
    fixed = struct.unpack_from("<QQQIII", message, 9)
    assert fixed == (1500, 1000, TAIL_BYTES, 1, 3, 1)
    assert message[9 + 36 :] == b"/x\0a\0\0b c\0E=1\0"


@pytest.mark.parametrize("seconds", [0, 0.0001])
def test_shortest_limit_is_no_absence_of_one(seconds: float) -> None:
    message = request(1, Command(("true",), timeout_s=seconds))
    assert struct.unpack_from("<Q", message, 9) == (1,)


@pytest.mark.parametrize(
    "command",
    [Command(("a\0b",)), Command(("a",), cwd="/\0"), Command(("a",), env={"A": "\0"})],
    ids=["argument", "directory", "variable"],
)
def test_nul_byte_is_refused(command: Command) -> None:
    with pytest.raises(ValueError, match="NUL"):
        request(1, command)


def test_request_that_init_would_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="more than init takes"):
        request(1, Command(("echo", "x" * MOST_REQUEST_BYTES)))


class Told:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.kept = {"stdout": b"", "stderr": b""}
        self.gaps: list[tuple[str, int, int]] = []

    def write(self, source: str, chunk: bytes) -> None:
        self.kept[source] += chunk

    def skip(self, source: str, size_bytes: int) -> None:
        self.gaps.append((source, len(self.kept[source]), size_bytes))


@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=30)), max_size=20),
    st.integers(0, 100),
    st.integers(1, 50),
)
def test_start_and_end_of_each_stream_are_kept(
    chunks: list[tuple[str, bytes]], limit: int, tail: int
) -> None:
    told = Told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.workspace.channels.exec_channel.TAIL_BYTES", tail)
        kept = _Kept(told, limit)
        for source, chunk in chunks:
            kept.add(source, chunk)  # type: ignore[arg-type]
        dropped = kept.end()
    gaps = {source: (at, size) for source, at, size in told.gaps}
    for source in ("stdout", "stderr"):
        whole = b"".join(chunk for of, chunk in chunks if of == source)
        at, size = gaps.get(source, (len(whole), 0))
        assert told.kept[source] == whole[:at] + whole[at + size :]
        assert size == 0 or len(told.kept[source]) - at == tail
    assert dropped == sum(size for _, size in gaps.values())
