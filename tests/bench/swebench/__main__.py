"""`make bench-swebench DATA=rows.jsonl MIRRORS=directory`: the long comparison, which goes on where
it was cut short."""

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from agent_runner.errors import UsageError
from agent_runner.places import root
from tests.bench.process import AGENT_RUNNER, NotMeasured, timed
from tests.bench.report import Machine, Report
from tests.bench.row import Count, Row
from tests.bench.say import say
from tests.bench.swebench import golds, layers, verdicts
from tests.bench.swebench.rows import Rows
from tests.bench.swebench.verdicts import Work
from tools.workspace.engine import Engine
from tools.workspace.faults import InfraFault

STEPS = ("layers", "verdicts", "gold")
BUILD_LIMIT_S = 6 * 3600.0
NOT_MEASURED = ("other data sets", "published images")


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path), help="JSONL.")
@click.option(
    "--mirrors", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Repositories, as OWNER/NAME.git, OWNER__NAME or OWNER+NAME/repo.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="[sandbox/bench/swebench]")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(STEPS), help="These steps. [all]")
@click.option("--without-facts", default="images.facts=false", show_default=True, hidden=True)
@click.option("--strict", is_flag=True, help="Exit 1 where a row misses what it must.")
def main(
    data: Path, mirrors: Path, out: Path | None, workers: int, only: tuple[str, ...],
    without_facts: str, strict: bool,
) -> None:  # fmt: skip
    """Prints the table, writes it as JSON; progress on stderr."""
    started_at, machine = datetime.now(UTC), Machine.here()
    place = (out or root() / "sandbox" / "bench" / "swebench").resolve()
    place.mkdir(parents=True, exist_ok=True)
    try:
        rows = Rows.read(data.resolve(), mirrors.resolve())
        found = asyncio.run(_measure(rows, place, workers, only or STEPS, without_facts))
    except KeyboardInterrupt:
        say("interrupted; the same command goes on")
        sys.exit(130)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    except (InfraFault, NotMeasured) as error:
        say(f"not measured to the end: {error}")
        sys.exit(3)
    report = Report(
        started_at=started_at, machine=machine, rows=tuple(found), not_measured=NOT_MEASURED
    )
    report.show()
    say(f"written: {report.write(place)}")
    sys.exit(1 if strict and any(row.verdict == "miss" for row in found) else 0)


async def _measure(
    rows: Rows, out: Path, workers: int, steps: tuple[str, ...], without_facts: str
) -> list[Row | Count]:
    config = out / "gitconfig"
    rows.write_git_config(config)
    env = {"GIT_CONFIG_GLOBAL": str(config)}
    bare = Work(rows, out, workers, {}, env)
    found: list[Row | Count] = []
    if "layers" in steps:
        found += await _step("layers", layers.measure(bare))
    if "verdicts" in steps or "gold" in steps:
        work = replace(bare, images=await _images(rows, workers, env))
        if "verdicts" in steps:
            found += await _step("verdicts", verdicts.measure(work))
        if "gold" in steps:
            found += await _step("gold", golds.measure(work, (without_facts,)))
    return found


async def _step(
    name: str, measuring: Coroutine[None, None, Sequence[Row | Count]]
) -> Sequence[Row | Count]:
    """The rows of a step; one that could not be measured is a miss, and the others go on."""
    try:
        return await measuring
    except NotMeasured as error:
        say(f"{name}: {error}")
        return [Row(what=name, failure=str(error))]


async def _images(rows: Rows, workers: int, env: dict[str, str]) -> dict[str, str]:
    """The images both graders use, built where they are missing, by instance."""
    say("images, tagged as the official harness expects them")
    argv = (
        *AGENT_RUNNER, "images", "build", "--dataset", str(rows.data), "--official-tags",
        "--workers", str(workers),
    )  # fmt: skip
    await timed(*argv, env=env, limit_s=BUILD_LIMIT_S)
    found = {}
    async with Engine() as engine:
        for row in rows.rows:
            image = await engine.image(row.image)
            if image is None:
                raise NotMeasured(f"{row.instance_id} has no image {row.image}")
            found[row.instance_id] = image.id
    return found


if __name__ == "__main__":
    main()
