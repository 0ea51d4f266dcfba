"""`summary.json` on the disk, and made again from `results.jsonl`."""

from pathlib import Path

from pydantic import ValidationError

from agent_runner.batch.entry import Entry
from agent_runner.batch.journal import Journal
from agent_runner.batch.numbers.summary import Summary, summarise
from agent_runner.errors import UsageError
from agent_runner.write_whole import write_whole

NAME = "summary.json"
RESULTS = "results.jsonl"


def write_summary(directory: Path, summary: Summary) -> None:
    """Writes it whole: whoever reads it sees all of it, or what was there before."""
    write_whole(directory / NAME, summary.model_dump_json(indent=2).encode() + b"\n")


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
    if not results.is_file():
        raise UsageError(f"{results}: cannot be read: there is no such file")
    try:
        return summarise(Journal(results, Entry).read())
    except UsageError as error:
        # What is wrong with a line names the file already.
        raise error if str(results) in str(error) else UsageError(f"{results}: {error}") from error
