"""Makes the corpus; tries the engine on it, or writes it out."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from agent_runner.places import home
from tests.corpora.patches.case import Case
from tests.corpora.patches.compare import ENGINE, TOOLS, Count, compare
from tests.corpora.patches.corpus import corpus
from tests.corpora.patches.packages import PACKAGES
from tests.corpora.patches.sets import from_packages, from_seeds
from tests.corpora.patches.tree import write

NAMES = [package.name for package in PACKAGES]


@click.command()
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same corpus.")
@click.option("--each", default=16, show_default=True, help="Entries of each kind.")
@click.option("--packages", multiple=True, type=click.Choice(NAMES), help="These. [all]")
@click.option("--seeds", is_flag=True, help="From the seeds' repositories: needs no network.")
@click.option("--cache", type=click.Path(path_type=Path), help="Downloads. [AGENT_RUNNER_HOME]")
@click.option("--out", type=click.Path(path_type=Path), help="Write the entries below it.")
@click.option("--compare", "beside", is_flag=True, help="Try git apply and patch on it, too.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the counts there.")
def main(
    seed: int,
    each: int,
    packages: tuple[str, ...],
    seeds: bool,
    cache: Path | None,
    out: Path | None,
    beside: bool,
    file: Path | None,
) -> None:
    """Makes the corpus and shows what the engine makes of it; 1 where it misses what it must."""
    pools = from_seeds() if seeds else from_packages(cache or home() / "corpora", packages)
    cases = corpus(pools, seed, each)
    if out is not None:
        _write(cases, out)
    counts = compare(cases, TOOLS if beside else {ENGINE: TOOLS[ENGINE]})
    if file is not None:
        file.write_text(json.dumps([asdict(count) for count in counts], indent=1) + "\n", "utf-8")
    _show(counts)
    missed = [count.kind for count in counts if count.tool == ENGINE and not count.holds]
    if missed:
        sys.stderr.write(f"missed: {', '.join(missed)}\n")
    sys.exit(1 if missed else 0)


def _write(cases: Sequence[Case], out: Path) -> None:
    for number, case in enumerate(cases):
        place = out / f"{number:04}-{case.kind.replace(' ', '-')}"
        place.mkdir(parents=True)
        (place / "patch.diff").write_bytes(case.patch)
        about = {"kind": case.kind, "demand": case.demand, "source": case.source}
        (place / "case.json").write_text(json.dumps(about) + "\n", "utf-8")
        trees = (("before", case.before), ("after", case.after), ("as-written", case.as_written))
        for name, tree in trees:
            if tree is not None:
                write(tree, place / name)


def _show(counts: Sequence[Count]) -> None:
    tools = list(dict.fromkeys(count.tool for count in counts))
    table = Table("kind", "must", "n", *tools, box=SIMPLE)
    found = {(count.kind, count.tool): count for count in counts}
    for kind in dict.fromkeys(count.kind for count in counts):
        rows = [found[kind, tool] for tool in tools]
        table.add_row(kind, rows[0].demand, str(rows[0].n), *(row.text for row in rows))
    console = Console(width=160)
    console.print(table)
    console.print("right / as written / refused / half done / wrong")


if __name__ == "__main__":
    main()
