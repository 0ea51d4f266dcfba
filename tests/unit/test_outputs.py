"""What is kept of a command's output."""

import errno
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.outputs import CONTENT, Step, kept
from tools.outputs.capture import Capture
from tools.outputs.display import display
from tools.outputs.lines import BLOCK_BYTES, LineIndex, OpenLines
from tools.outputs.store import Outputs
from tools.workspace.channels.channel import TAIL_BYTES, Source
from tools.workspace.faults import FaultKind, InfraFault

SOURCES: tuple[Source, ...] = ("stdout", "stderr")
STEPS = st.lists(
    st.tuples(st.sampled_from(SOURCES), st.one_of(CONTENT, st.integers(1, 10**9))), max_size=12
)


def expected(steps: list[Step], source: Source) -> bytes:
    """A stream with a line for each part that was skipped."""
    content = b""
    for _, what in (step for step in steps if step[0] == source):
        if isinstance(what, bytes):
            content += what
        else:
            glue = b"\n" if content and not content.endswith(b"\n") else b""
            note = f"[{what} bytes of output left out here: more than is kept]\n"
            content += glue + note.encode()
    return content


@settings(deadline=None)
@given(steps=STEPS)
def test_the_file_is_stdout_then_stderr_with_a_note_at_each_gap(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    outputs = Outputs(tmp_path_factory.mktemp("outputs"))
    handle = kept(outputs, *steps)
    out, err = (expected(steps, source) for source in SOURCES)
    if out and err:
        out += (b"" if out.endswith(b"\n") else b"\n") + b"--- stderr ---\n"
    content = outputs.path(handle).read_bytes()
    assert content == out + err
    lines = outputs.lines(handle)
    assert lines is not None
    assert lines.index == OpenLines.of_bytes(content).index
    assert [path.name for path in outputs.directory.iterdir()] == ["o1.txt"]


def test_long_stderr_is_whole_below_stdout(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    chunk = b"warning\n" * 8192
    handle = kept(outputs, *[("stderr", chunk)] * 40, ("stdout", b"done"))
    assert outputs.path(handle).read_bytes() == b"done\n--- stderr ---\n" + chunk * 40


def test_handles_count_and_name_files(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    assert (outputs.save(b"a"), kept(outputs), outputs.save(b"b")) == ("o1", "o2", "o3")
    assert (tmp_path / "o3.txt").read_bytes() == b"b"
    assert outputs.lines("o4") is None


def test_output_is_on_disk_as_it_comes(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    with outputs.capture() as capture:
        capture.write("stdout", b"first")
        assert outputs.path(capture.handle).read_bytes() == b"first"


def test_what_is_cancelled_leaves_a_readable_file_and_takes_no_more(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path)
    captures: list[Capture] = []

    def interrupted() -> None:
        with outputs.capture() as capture:
            captures.append(capture)
            capture.write("stdout", b"out")
            capture.write("stderr", b"err")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    captures[0].write("stdout", b"late")
    captures[0].skip("stderr", 5)
    assert outputs.path("o1").read_bytes() == b"out\n--- stderr ---\nerr"
    assert outputs.shown("o1") == "out\n--- stderr ---\nerr"
    assert [path.name for path in tmp_path.iterdir()] == ["o1.txt"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_full_disk_of_the_host_is_a_fault_of_the_world(tmp_path: Path, source: Source) -> None:
    outputs = Outputs(tmp_path)
    outputs.path("o1").symlink_to("/dev/full")
    with pytest.raises(InfraFault) as caught:
        kept(outputs, (source, b"x"))
    assert caught.value.kind is FaultKind.HOST_DISK_FULL
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_directory_that_is_gone_is_a_fault_of_the_world(tmp_path: Path) -> None:
    with pytest.raises(InfraFault) as caught:
        Outputs(tmp_path / "gone").save(b"x")
    assert caught.value.kind is FaultKind.HOST_DISK_FULL


def test_what_is_at_hand_and_too_long_is_kept_at_both_ends(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path, output_bytes=TAIL_BYTES)
    content = bytes(range(256)) * 1024
    left = len(content) - 2 * TAIL_BYTES
    handle = outputs.save(content)
    note = f"\n[{left} bytes of output left out here: more than is kept]\n".encode()
    assert outputs.path(handle).read_bytes() == content[:TAIL_BYTES] + note + content[-TAIL_BYTES:]
    handle = outputs.save(content[: TAIL_BYTES + 1])
    assert outputs.path(handle).read_bytes() == content[: TAIL_BYTES + 1]


def test_an_episode_keeps_so_much_and_then_only_the_ends(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path, output_bytes=300_000, episode_bytes=500_000)
    limits = []
    for _ in range(4):
        with outputs.capture() as capture:
            limits.append(capture.limit_bytes)
            capture.write("stdout", b"x" * capture.limit_bytes)
    assert limits == [300_000, 200_000, TAIL_BYTES, TAIL_BYTES]


@settings(deadline=None)
@given(content=CONTENT, repeat=st.integers(1, 400), cuts=st.lists(st.integers(1, 5000), max_size=8))
def test_lines_are_found_by_number(content: bytes, repeat: int, cuts: list[int]) -> None:
    content = content * repeat + b"x" * (BLOCK_BYTES - 5) + b"\n" + content
    index = LineIndex()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(content)], strict=True):
        index.add(content[begin:end])
    lines = content.removesuffix(b"\n").split(b"\n")
    file = OpenLines(lambda begin, end: content[begin:end], index)
    assert index.count == len(lines)
    for number in {0, 1, len(lines) // 2, len(lines) - 2, len(lines) - 1} & set(range(len(lines))):
        assert file.line(number) == ("".join(display(lines[number])), len(lines[number]))
    assert file.offset(len(lines)) == len(content)


@settings(deadline=None)
@given(content=CONTENT)
def test_lines_are_seen_alike_one_by_one_and_all_together(content: bytes) -> None:
    one_by_one = [
        "".join(display(line)) for line in content.removesuffix(b"\n").split(b"\n") if content
    ]
    assert display(content) == one_by_one
    assert not set("".join(one_by_one)) & set("\r\n\0\x1b\x9b")
