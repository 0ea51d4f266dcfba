"""What is kept of a verdict beside its logs, and the verdict read again from there."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent_runner.errors import UsageError
from agent_runner.grading.attempt import Attempt, Ran
from agent_runner.grading.canonical import shown_output
from agent_runner.grading.recipe import Failure, Log, Recipe
from agent_runner.grading.verdict import Verdict, conclude
from agent_runner.grading.version import grading_version
from agent_runner.result import Grade
from agent_runner.write_whole import write_whole

FACTS = "attempt.json"
LOGS = ("test_output.txt", "test_output.2.txt")


class SavedRun(BaseModel):
    """One grading run, but for its log; the fields of `Ran`, `Log` and `Attempt`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    container_id: str
    pristine: bool
    network_closed: bool
    patch_applied: bool
    started: bool
    installed: bool
    exit_code: int | None
    timed_out: bool
    is_whole: bool
    script_s: float
    wall_s: float
    tampered: tuple[str, ...] = ()


class Saved(BaseModel):
    """A verdict as it was saved: `attempt.json`.

    Attributes:
        failure_reason, failure_tier: what the log shows of a broken environment; null for nothing.
        wall_s, script_s: seconds of all runs, and those of their scripts alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    runs: tuple[SavedRun, ...]
    grade: Grade
    wall_s: float = 0.0
    script_s: float = 0.0
    failure_reason: str | None = None
    failure_tier: str | None = None

    @property
    def failure(self) -> Failure | None:
        """As the report of a run takes it."""
        if self.failure_reason is None or self.failure_tier is None:
            return None
        return Failure(self.failure_reason, self.failure_tier)


def save(verdict: Verdict, directory: Path) -> None:
    """Writes script, report and facts beside the logs, which `judge` wrote already."""
    ran, failure = verdict.attempt.ran, verdict.attempt.reading.failure
    (directory / "eval.sh").write_text(ran.script, encoding="utf-8")
    (directory / "apply.txt").write_bytes(ran.apply_output)
    saved = Saved(
        version=grading_version(),
        runs=tuple(_saved(attempt) for attempt in verdict.attempts),
        grade=verdict.grade,
        wall_s=round(sum(attempt.wall_s for attempt in verdict.attempts), 3),
        script_s=round(sum(attempt.ran.script_s for attempt in verdict.attempts), 3),
        failure_reason=failure.reason if failure else None,
        failure_tier=failure.tier if failure else None,
    )
    write_whole(directory / FACTS, saved.model_dump_json(indent=2).encode() + b"\n")
    write_whole(directory / "report.json", verdict.report_json().encode() + b"\n")


def read_saved(directory: Path) -> Saved:
    """What `save` wrote.

    Raises:
        UsageError: there is nothing, or it cannot be read.
    """
    try:
        return Saved.model_validate_json((directory / FACTS).read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"{directory} holds no saved grading run: {error}") from error


async def regrade(recipe: Recipe, directory: Path, patch: bytes) -> Verdict:
    """The verdict of saved logs, by the rules of today; no container is started.

    To `save` it again changes nothing but what the rules do.

    Raises:
        UsageError: what was saved cannot be read.
    """
    saved = read_saved(directory)
    attempts = []
    for run, name in zip(saved.runs, LOGS, strict=False):
        path = directory / name
        if not path.is_file():
            raise UsageError(f"{path} is missing")
        ran = _ran(run, path, directory)
        async with recipe.reader() as read:
            attempts.append(Attempt(ran, await read(ran.log), run.wall_s))
    first, *rest = attempts
    verdict = conclude(recipe, patch, first, rest[0] if rest else None)
    return verdict.with_controls(saved.grade.controls)


def _saved(attempt: Attempt) -> SavedRun:
    ran = attempt.ran
    return SavedRun(
        container_id=ran.container_id,
        pristine=ran.pristine,
        network_closed=ran.network_closed,
        patch_applied=ran.log.patch_applied,
        started=ran.started,
        installed=ran.installed,
        exit_code=ran.log.exit_code,
        timed_out=ran.log.timed_out,
        is_whole=ran.log.is_whole,
        script_s=ran.script_s,
        wall_s=attempt.wall_s,
        tampered=ran.tampered,
    )


def _ran(run: SavedRun, path: Path, directory: Path) -> Ran:
    return Ran(
        container_id=run.container_id,
        pristine=run.pristine,
        network_closed=run.network_closed,
        log=Log(path, run.exit_code, run.timed_out, run.patch_applied, run.is_whole),
        started=run.started,
        installed=run.installed,
        apply_output=_read(directory / "apply.txt"),
        test_output=shown_output(path),
        script=_read(directory / "eval.sh").decode(),
        script_s=run.script_s,
        tampered=run.tampered,
    )


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
