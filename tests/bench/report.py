"""The report: a table for people, a file for comparing."""

import importlib.util
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from agent_runner.places import root
from tests.bench.row import Count, Record, Row, Series, Statistic

NOT_MEASURED = (
    "the first make demo on a bare machine: measured by hand in a bare Debian",
    "make test as a whole",
)
WIDTH = 150


class Machine(Record):
    """Where it was measured.

    Attributes:
        load_before: how quiet it was.
        compiled: whether the packages' byte code lies beside them; imports take twice as long where
            it does not and PYTHONDONTWRITEBYTECODE keeps it from being written.
    """

    cpus: int
    load_before: float
    compiled: bool
    python: str
    system: str

    @classmethod
    def here(cls) -> "Machine":
        """This one, now."""
        return cls(
            cpus=os.cpu_count() or 1,
            load_before=round(os.getloadavg()[0], 2),
            compiled=_is_compiled(),
            python=platform.python_version(),
            system=platform.platform(),
        )


def _is_compiled() -> bool:
    """Looks at the package with the most modules."""
    found = importlib.util.find_spec("openai")
    return found is not None and found.cached is not None and Path(found.cached).exists()


class Report(Record):
    """What one run of the benchmark found."""

    schema_version: int = 1
    started_at: datetime
    machine: Machine
    rows: tuple[Row | Count, ...]
    not_measured: tuple[str, ...] = NOT_MEASURED

    def write(self, directory: Path | None = None) -> Path:
        """Writes `<UTC time>.json` in a directory, else in `sandbox/bench`."""
        directory = directory or root() / "sandbox" / "bench"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{self.started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.json"
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return path

    def show(self) -> None:
        """Prints the table to stdout."""
        table = Table("what", "must", "p50", "min .. max", "n", "baseline", "ratio", "", box=SIMPLE)
        for row in self.rows:
            _add(table, row)
        console = Console(width=WIDTH)
        console.print(table)
        here = self.machine
        console.print(
            f"{here.cpus} cpus, load before {here.load_before}; packages compiled: "
            f"{'yes' if here.compiled else 'no'}; not measured here: {'; '.join(self.not_measured)}"
        )


def _add(table: Table, row: Row | Count) -> None:
    if isinstance(row, Count):
        beside = "\n".join(f"{name}: {value:g}" for name, value in row.beside.items())
        bounds = (("<=", row.at_most), (">=", row.at_least))
        must = " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
        table.add_row(
            row.what, must, f"{row.measured:g} {row.unit}", "", "", beside, "", row.verdict
        )
        return
    musts = [f"<= {_text(row.must_s)}"] if row.must_s is not None else []
    musts += [f"ratio <= {row.most_ratio:g}"] if row.most_ratio is not None else []
    must = "\n".join(musts)
    if row.measured is None or row.figure_s is None:
        table.add_row(row.what, must, "", "", "", row.failure, "", row.verdict)
        return
    spread = f"{_text(row.measured.min_s)} .. {_text(row.measured.max_s)}"
    ratio = f"{row.ratio:g}" if row.ratio is not None else ""
    beside = "\n".join(
        _line(each, row.statistic) for each in (row.baseline, *row.parts) if each is not None
    )
    figure = _text(row.figure_s) + (f" ({row.statistic})" if row.statistic != "p50" else "")
    table.add_row(
        row.what, must, figure, spread, str(row.measured.n), beside, ratio, row.verdict
    )  # fmt: skip


def _line(series: Series, statistic: Statistic) -> str:
    of: Statistic = "p90" if statistic == "p90" else "p50"
    return f"{series.name}: {_text(series.figure_s(of))}"


def _text(seconds: float) -> str:
    if abs(seconds) >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if abs(seconds) >= 0.02 else f"{seconds * 1000:.2f} ms"
