"""Measures what `make bench` shows; a miss is shown, and fails only with --strict."""

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.bench import (
    bombs,
    channel,
    demo,
    first_request,
    gold,
    help_text,
    leftovers,
    outputs,
    patches,
    real_instance,
    unit_tests,
)
from tests.bench.batches import kills, resume, runner, throughput
from tests.bench.process import NotMeasured
from tests.bench.provider import call_cpu, chaos, spending, waiting
from tests.bench.report import Machine, Report
from tests.bench.row import Count, Row
from tests.bench.say import say
from tests.bench.setting import Setting, prepared
from tools.workspace.engine import Engine
from tools.workspace.faults import InfraFault
from tools.workspace.leftovers import containers, remove_run

STEPS: dict[str, Callable[[Setting], Awaitable[Sequence[Row | Count]]]] = {
    "first-request": first_request.measure,
    "gold": gold.measure,
    "help": help_text.measure,
    "demo": demo.measure,
    "unit-tests": unit_tests.measure,
    "channel": channel.measure,
    "bombs": bombs.measure,
    "leftovers": leftovers.measure,
    "outputs": outputs.measure,
    "patches": patches.measure,
    "real-instance": real_instance.measure,
    "call-cpu": call_cpu.measure,
    "waiting": waiting.measure,
    "spending": spending.measure,
    "chaos": chaos.measure,
    "batch-resume": resume.measure,
    "batch-runner": runner.measure,
    "batch-throughput": throughput.measure,
    "batch-kills": kills.measure,
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(STEPS)), help="These steps. [all]")
@click.option("--strict", is_flag=True, help="Exit 1 where a row misses what it must.")
def main(only: tuple[str, ...], strict: bool) -> None:
    """Measures, prints the table, writes sandbox/bench/<UTC time>.json."""
    started_at, machine = datetime.now(UTC), Machine.here()
    try:
        rows = asyncio.run(_measure(only or tuple(STEPS)))
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
    except (InfraFault, NotMeasured) as error:
        say(f"nothing measured: {error}")
        sys.exit(3)
    report = Report(started_at=started_at, machine=machine, rows=tuple(rows))
    report.show()
    say(f"written: {report.write()}")
    sys.exit(1 if strict and any(row.verdict == "miss" for row in rows) else 0)


async def _measure(names: tuple[str, ...]) -> list[Row | Count]:
    rows: list[Row | Count] = []
    with tempfile.TemporaryDirectory(prefix="agent_runner-bench-") as scratch:
        setting = Setting(f"bench-{secrets.token_hex(4)}", Path(scratch))
        try:
            say("first, unmeasured: a run of the seed, so that its layers are there")
            setting = await prepared(setting)
            for number, name in enumerate(names, start=1):
                say(f"[{number}/{len(names)}] {name}")
                try:
                    rows += await STEPS[name](setting)
                except NotMeasured as error:
                    rows.append(Row(what=name, failure=str(error)))
        finally:
            await _remove_left(setting.name)
    return rows


async def _remove_left(name: str) -> None:
    """Nothing should be left; what is, is said and removed."""
    async with Engine() as engine:
        for left in await containers(engine):
            if left.run.startswith(name):
                say(f"a container of {left.run} was left behind; removing it")
                await remove_run(engine, left.run)


if __name__ == "__main__":
    main()
