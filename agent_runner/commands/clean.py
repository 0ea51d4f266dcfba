"""`clean`: removes what runs that died left in the engine, in the state directory and in TMPDIR."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import click

from agent_runner.commands.report_faults import reporting_faults
from agent_runner.errors import InfraFault
from agent_runner.observer import Observer
from agent_runner.places import home
from agent_runner.run_dir import RunDir
from tools.workspace.engine import Engine
from tools.workspace.leftovers import Labelled, everything_of, outcome, remove_all
from tools.workspace.repository.mirrors import remove_halves
from tools.workspace.scratch import remove_dead_scratch


@click.command()
@click.argument("run_dir", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also what is kept, and what is alive.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(run_dir: Path | None, everything: bool, as_json: bool) -> None:
    """Removes containers of runs that died, and those of RUN_DIR if it is named.

    What is alive stays, and so does what --keep left, unless it is of RUN_DIR. Images stay.
    """
    run = RunDir(run_dir).run_id if run_dir else None
    cleaning = _Cleaning(Observer(quiet=as_json))
    with reporting_faults():
        asyncio.run(cleaning.clean(run, everything))
        if as_json:
            click.echo(json.dumps(cleaning.report()))
        else:
            click.echo(cleaning.summary(), err=True)
        if cleaning.faults:
            raise cleaning.faults[0]


@dataclass
class _Cleaning:
    """What was removed so far, and what could not be."""

    observer: Observer
    removed: list[Labelled] = field(default_factory=list)
    failed: list[Labelled] = field(default_factory=list)
    faults: list[InfraFault] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    async def clean(self, run: str | None, everything: bool) -> None:
        """Files first: they need no engine.

        Raises:
            InfraFault: the engine cannot be asked; what it cannot remove is in `faults`.
        """
        with self.observer.waiting("removing directories that killed runs left"):
            self.files += await asyncio.to_thread(remove_halves, home())
            self.files += await asyncio.to_thread(remove_dead_scratch)
        for path in self.files:
            self.observer.say(f"removed {path}")
        async with Engine() as engine:
            found = await everything_of(engine)
            rows = [row for row in found if everything or row.leftover or row.run == run]
            with self.observer.waiting(f"removing {len(rows)} things from the engine"):
                await remove_all(engine, rows, lambda row, fault: self._told(row, fault, len(rows)))

    def _told(self, row: Labelled, fault: InfraFault | None, of: int) -> None:
        if fault is None:
            self.removed.append(row)
            self.observer.say(outcome(row, fault))
        else:
            self.failed.append(row)
            self.faults.append(fault)
            self.observer.complain(outcome(row, fault))
        self.observer.show(f"{len(self.removed)} of {of} removed")

    def report(self) -> dict[str, list[dict[str, str]]]:
        """For `--json`."""
        return {
            "removed": [_facts(row) for row in self.removed],
            "failed": [_facts(row) for row in self.failed],
            "files": [{"path": str(path)} for path in self.files],
        }

    def summary(self) -> str:
        """For a person: the last line."""
        text = f"{len(self.removed) + len(self.files)} removed"
        return f"{text}, {len(self.failed)} could not be" if self.failed else text


def _facts(row: Labelled) -> dict[str, str]:
    return {"id": row.id, "run": row.run, "role": row.role, "kind": row.kind}
