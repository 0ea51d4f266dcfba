"""The entries of the corpus, and what a person wrote that each of them is."""

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tools.outputs.display import plain
from tools.testruns.outcome import Outcome, TestRun
from tools.testruns.runner import Runner
from tools.testruns.selection import Selection
from tools.testruns.summarise import combine
from tools.workspace.channels.channel import Execution

HERE = Path(__file__).parent
ENTRIES = HERE / "entries"


class Expected(BaseModel):
    """What the engine must say about an entry.

    Attributes:
        all: whether `outcomes` names every test; else others may be there.
        of: the entry, where it has another name; it is then read knowing the ids in `outcomes`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exit_code: int | None
    counts: dict[str, int]
    summary: str
    source: Literal["report", "log"] = "report"
    disagreement: str | None = None
    all: bool = False
    outcomes: dict[str, Outcome] = {}
    of: str = ""


class Facts(BaseModel):
    """How an entry was made, as `make` wrote it down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    argv: tuple[str, ...]
    exit_code: int | None
    timed_out: bool
    runner: Runner
    paths: tuple[str, ...]
    k: str
    python: str
    packages: tuple[str, ...]


@cache
def expectations() -> dict[str, Expected]:
    """What is expected, by name; names that begin with a dot are only there to be referred to."""
    read = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))
    return {
        name: Expected.model_validate(fields)
        for name, fields in read.items()
        if not name.startswith(".")
    }


@cache
def facts(entry: str) -> Facts:
    """How an entry was made."""
    return Facts.model_validate(json.loads((ENTRIES / entry / "run.json").read_bytes()))


def content(entry: str, name: str) -> bytes | None:
    """One of an entry's streams, None where there was none."""
    file = ENTRIES / entry / name
    if file.exists():
        return file.read_bytes()
    packed = file.with_name(f"{name}.xz")
    return lzma.decompress(packed.read_bytes()) if packed.exists() else None


def read(entry: str, expected: tuple[str, ...] = ()) -> TestRun:
    """What the engine says about an entry, given to it as `swe_pytest` does."""
    made = facts(entry)
    streams = content(entry, "stdout"), content(entry, "stderr")
    assert None not in streams, f"{entry} is not complete"
    done = Execution(made.exit_code, streams[0] or b"", streams[1] or b"", 0, 0.0)
    return combine(
        content(entry, "report.xml"),
        plain(done.output),
        done.exit_code,
        made.timed_out,
        Selection(made.paths, made.k, expected),
        made.runner,
    )
