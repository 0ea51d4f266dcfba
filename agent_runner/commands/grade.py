"""`grade`: verdicts for predictions, by the benchmark's own rules."""

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

import click

from agent_runner.benchmarks.swebench.subset import Subset
from agent_runner.commands.dataset_options import dataset_options
from agent_runner.commands.report_faults import reporting_faults
from agent_runner.config import dump, parse_set, read_layer, resolve
from agent_runner.evaluation.directory import open_grade_dir, slug
from agent_runner.evaluation.run import Job, run_grading
from agent_runner.evaluation.summary import summarise
from agent_runner.evaluation.view import GradeView
from agent_runner.evaluation.work import bring_together
from agent_runner.places import home, root

INTERRUPTED = 130
EPILOG = """\b
Examples:
  agent_runner grade --dataset SWE-bench_Verified --predictions preds.json --out graded
  agent_runner grade --dataset rows.jsonl --predictions gold --filter repo=OWNER/NAME
  agent_runner grade --dataset lite --predictions empty --instance-ids ID,ID

The directory holds report.json in the shape of the official harness and, for each instance, its
report.json, test_output.txt, eval.sh, patch.diff and grade.json. The same command with the same
--out goes on where it was cut short; `regrade DIR` reads the saved logs again.

Exit codes: 0 every prediction has a verdict, resolved or not; 2 the command line, the data set or
the predictions file is wrong; 3 the engine, disk, network or an image kept one from its verdict, or
a task does not hold on this machine; 130 interrupted, with everything so far on disk."""


@click.command(epilog=EPILOG)
@dataset_options(required=True)
@click.option(
    "--predictions", required=True, metavar="FILE|gold|empty",
    help="preds.json, preds.jsonl (SWE-agent, mini-swe-agent) or output.jsonl (OpenHands); gold "
    "grades the reference patches, empty the untouched base.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="At once. [by the engine's cpus, memory]"
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Where it is written, or was begun. [sandbox/runs/<time>-grade-<data set>]",
)  # fmt: skip
@click.option("--fresh", is_flag=True, help="Grade again what has a verdict kept.")
@click.option(
    "--no-controls", is_flag=True, help="Do not check that gold resolves, empty does not."
)
@click.option(
    "--config", type=click.Path(path_type=Path), multiple=True, help="A YAML of settings."
)
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on stdout.")
def command(
    subset: Subset, predictions: str, workers: int | None, out: Path | None, fresh: bool,
    no_controls: bool, config: tuple[Path, ...], sets: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Grades predictions in fresh containers and writes the official report.

    Layers that are missing are built. A verdict is kept by patch, layer and version of the rules,
    and never made twice; where the world fails there is none, and nothing is kept.
    """
    named = {"controls": False} if no_controls else {}
    settings = resolve([*map(read_layer, config), *map(parse_set, sets), named])
    with reporting_faults():
        work = bring_together(subset, predictions)
        directory = open_grade_dir(out or _new_directory(subset.dataset), work.facts)
        directory.write("config.yaml", dump(settings))
        job = Job(work, directory, home(), settings, workers, fresh=fresh)
        with directory.locked(), (directory.path / "run.log").open("a", encoding="utf-8") as log:
            is_whole = _run(job, GradeView(log=log))
            summary = summarise(directory, work.facts)
    click.echo(summary.model_dump_json() if as_json else "\n".join(summary.lines()))
    raise click.exceptions.Exit(INTERRUPTED if not is_whole else 0 if summary.is_whole else 3)


def _run(job: Job, view: GradeView) -> bool:
    """Grades; False where Ctrl-C or SIGTERM cut it short."""

    async def interruptible() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await run_grading(job, view)

    try:
        with asyncio.Runner() as runner:
            runner.run(interruptible())
    except (KeyboardInterrupt, asyncio.CancelledError):
        view.tell("interrupted; the same command with the same --out goes on")
        return False
    return True


def _new_directory(dataset: str) -> Path:
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z"
    return root() / "sandbox" / "runs" / f"{stamp}-grade-{slug(dataset)}"
