"""Outputs: a command that prints 1 GB, and reading back from 100 MB."""

import gc
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.process import NotMeasured, timed
from tests.bench.row import Count, Row, by_turns
from tests.bench.setting import Setting
from tools.outputs.lines import LineIndex
from tools.outputs.store import OUTPUT_BYTES, Outputs
from tools.read_output import ReadArguments, ReadOutput
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container
from tools.workspace.engine import Engine
from tools.workspace.start import running

ROUNDS = 5
PRINTING_ROUNDS = 3
LINE = b"2026-11-21T06:30:00 INFO module.%07d did a thing, and then it did another\n"
LINES = 1_300_000
MIDDLE = 650_000
PRINTED_BYTES = 1_000_000_000
PRINT = f"yes 'a line of a log, as long as many are, and not a word more' | head -c {PRINTED_BYTES}"
CHUNK_BYTES = 1 << 20
MB = 1_000_000


async def measure(setting: Setting) -> Sequence[Row | Count]:
    """Both, in the setting's scratch directory."""
    directory = setting.scratch / "outputs"
    directory.mkdir()
    try:
        return [*await _printing(setting, directory), *await _reading(directory)]
    finally:
        for file in directory.iterdir():
            file.unlink()


async def _printing(setting: Setting, directory: Path) -> list[Row | Count]:
    outputs = Outputs(directory)
    async with Engine() as engine, running(engine, setting.spec()) as container:
        await _print(container, outputs)  # unmeasured: what is loaded once is loaded then
        before_mb = _memory_mb(peak=False)
        _forget_peak()
        ours, theirs = await by_turns(
            PRINTING_ROUNDS,
            {
                "docker_sh's way to a file of 100 MB": lambda: _print(container, outputs),
                "docker exec CONTAINER ... >/dev/null": lambda: timed(
                    "sh", "-c",
                    f"exec docker exec {container.id} sh -c {shlex.quote(PRINT)} >/dev/null",
                ),
            },
        )  # fmt: skip
    up_mb = round(_memory_mb(peak=True) - before_mb, 1)
    what = "a command printing 1 GB"
    return [
        Row(what=what, measured=ours, baseline=theirs, most_ratio=2),
        Count(what=f"{what}: host memory up by", unit="MB", measured=up_mb, at_most=64),
    ]


async def _print(container: Container, outputs: Outputs) -> float:
    began_s = time.monotonic()
    with outputs.capture() as capture:
        command = Command(("sh", "-c", PRINT), max_output_bytes=capture.limit_bytes)
        done = await container.run(command, capture)
    outputs.shown(capture.handle)
    spent_s = time.monotonic() - began_s
    kept_bytes = capture.lines.index.size_bytes
    if not done.ok or not 0 <= kept_bytes + done.dropped_bytes - PRINTED_BYTES < 200:
        raise NotMeasured(f"exit {done.exit_code}, {kept_bytes} bytes kept")
    return spent_s


def _forget_peak() -> None:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _memory_mb(*, peak: bool) -> float:
    name = "VmHWM:" if peak else "VmRSS:"
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / MB
    raise NotMeasured(f"/proc/self/status has no {name}")


async def _reading(directory: Path) -> list[Row | Count]:
    outputs = Outputs(directory, output_bytes=2 * OUTPUT_BYTES)
    with outputs.capture() as capture:
        for begin in range(0, LINES, 1000):
            numbers = range(begin, begin + 1000)
            capture.write("stdout", b"".join(LINE % number for number in numbers))
    path, handle, tool = capture.lines.path, capture.handle, ReadOutput(outputs)

    async def read(**options: int | str) -> float:
        began_s = time.monotonic()
        answer = await tool.call(ReadArguments.model_validate({"handle": handle, **options}))
        spent_s = time.monotonic() - began_s
        if "\n" not in answer.text and "none of lines" not in answer.text:
            raise NotMeasured(answer.text)
        return spent_s

    async def index_and_read() -> float:
        began_s = time.monotonic()
        index = LineIndex()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                index.add(chunk)
        if index != capture.lines.index:
            raise NotMeasured("two indexes of one file differ")
        spent_s = time.monotonic() - began_s
        return spent_s + await read()

    pages = f"{MIDDLE},{MIDDLE + 199}p;{MIDDLE + 199}q"
    rare, none, many = "module.0650000 ", "no such thing", r"module\.\d*77 "
    first, page, last, sed, found, found_none, found_many, plain_grep = await by_turns(
        ROUNDS,
        {
            "index and first page": index_and_read,
            "a page in the middle": lambda: read(start=MIDDLE),
            "the last page": lambda: read(start=-200),
            "sed -n 650000,650199p": lambda: timed("sed", "-n", pages, str(path)),
            "grep of one line": lambda: read(grep=rare),
            "grep of no line": lambda: read(grep=none),
            "grep of 13,000 lines": lambda: read(grep=many),
            "grep -n": lambda: timed("grep", "-n", rare, str(path)),
        },
    )
    size = f"{capture.lines.index.size_bytes // MB} MB, {LINES} lines"
    return [
        Row(what=f"read_output, {size}: index and first page", must_s=0.3, measured=first),
        Row(what="read_output: a page in the middle", must_s=0.01, measured=page, baseline=sed,
            parts=(last,)),
        Row(what="read_output: grep", must_s=1.5, measured=found_many, baseline=plain_grep,
            parts=(found, found_none)),
    ]  # fmt: skip
