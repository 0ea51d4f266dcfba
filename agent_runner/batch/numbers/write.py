"""`summary.json` on the disk, and made again from `results.jsonl`."""

import os
from pathlib import Path

from pydantic import ValidationError

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.summary import Summary, summarise
from agent_runner.document import explain
from agent_runner.errors import UsageError

NAME = "summary.json"
RESULTS = "results.jsonl"


def write_summary(directory: Path, summary: Summary) -> None:
    """Writes it whole: whoever reads it sees all of it, or what was there before."""
    part = directory / f".{NAME}.part"
    with part.open("w", encoding="utf-8") as file:
        file.write(summary.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(directory / NAME)


def kept_summary(directory: Path) -> Summary | None:
    """The summary in a batch's directory, if it is of the results there are; else None.

    So that a batch with nothing left to run need not draw its intervals again.
    """
    try:
        of_results = (directory / RESULTS).stat().st_mtime_ns
        if (directory / NAME).stat().st_mtime_ns < of_results:
            return None
        return Summary.model_validate_json((directory / NAME).read_bytes())
    except (OSError, ValidationError):  # there is none yet, or one of another version
        return None


def summary_of(results: Path) -> Summary:
    """The summary of a `results.jsonl`; what follows its last newline was never finished.

    Raises:
        UsageError: it cannot be read, holds no result, or not those of one batch.
    """
    try:
        content = results.read_bytes()
    except OSError as error:
        raise UsageError(f"{results}: cannot be read: {error.strerror}") from error
    lines = content.split(b"\n")[:-1]
    entries = [_entry(line, f"{results}, line {n}") for n, line in enumerate(lines, start=1)]
    try:
        return summarise(entries)
    except UsageError as error:
        raise UsageError(f"{results}: {error}") from error


def _entry(line: bytes, where: str) -> Entry:
    try:
        return Entry.model_validate_json(line)
    except ValidationError as error:
        raise UsageError(f"{where}: {explain(error, Entry.model_fields)}") from error
