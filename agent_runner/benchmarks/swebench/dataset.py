"""Where rows of SWE-bench come from: a file, a directory, or Hugging Face by name or alias."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent_runner.benchmarks.swebench.row import Row, read_row
from agent_runner.benchmarks.swebench.table import SUFFIXES, Columns, Table, open_table
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest

OWNER = "SWE-bench"
# Lower case, without owner, dashes and underscores -> the name on Hugging Face.
ALIASES = {
    "swebench": "SWE-bench",
    "full": "SWE-bench",
    "lite": "SWE-bench_Lite",
    "verified": "SWE-bench_Verified",
    "multilingual": "SWE-bench_Multilingual",
}


@dataclass(frozen=True)
class Dataset:
    """One split of a set.

    Attributes:
        name: as it was asked for.
    """

    name: str
    table: Table

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each instance is.

        Raises:
            UsageError: rows without an id, or two with the same.
        """
        ids = self.table.ids
        for position, name in enumerate(ids):
            if not name:
                raise UsageError(f"{self.table.where(position)}: the row lacks instance_id")
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            places = [self.table.where(at) for at, name in enumerate(ids) if name == twice[0]]
            more = f", and {len(twice) - 1} more" if len(twice) > 1 else ""
            raise UsageError(f"{twice[0]} is there twice: {' and '.join(places[:2])}{more}")
        return {name: position for position, name in enumerate(ids)}

    def columns(self, ids: Sequence[str]) -> list[Columns]:
        """The unchecked columns of instances.

        Raises:
            UsageError: one cannot be read.
        """
        return self.table.rows([self.positions[name] for name in ids])

    def rows(self, ids: Sequence[str]) -> list[Row]:
        """The rows of instances.

        Raises:
            UsageError: there is none of that id (the nearest are named), or it is wrong.
        """
        for name in ids:
            if name not in self.positions:
                known = list(self.positions)
                hint = nearest(name, known) or f"; it has {', '.join(known[:10]) or 'no rows'}"
                raise UsageError(f"{self.name} has no instance {name!r}{hint}")
        where = [self.table.where(self.positions[name]) for name in ids]
        return [read_row(*pair) for pair in zip(self.columns(ids), where, strict=True)]


def open_dataset(name: str, split: str = "test") -> Dataset:
    """One split of a data set.

    Args:
        name: a path that exists, else an alias, else a name on Hugging Face.
        split: of a directory or of Hugging Face; a file holds one.

    Raises:
        UsageError: there is no such set, or it cannot be read.
        InfraFault: `index_unreachable`, where Hugging Face does not answer.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return Dataset(name, open_table(_in_directory(path, split), Row.model_fields))
    if path.exists():
        return Dataset(name, open_table([path], Row.model_fields))
    if path.suffix in SUFFIXES or name.startswith((".", "/", "~")):
        raise UsageError(f"there is no data set {name}")
    from agent_runner.benchmarks.swebench.hub import load

    return Dataset(name, load(hub_name(name), split))


def hub_name(name: str) -> str:
    """The name on Hugging Face of an alias, in any case, with dashes or underscores.

    Raises:
        UsageError: it is neither an alias nor a name with an owner.
    """
    owner, _, short = name.rpartition("/")
    if owner:
        return name
    plain = short.lower().replace("_", "").replace("-", "").replace(" ", "")
    known = ALIASES.get(plain) or ALIASES.get(plain.removeprefix("swebench"))
    if known is None:
        names = sorted(set(ALIASES.values()))
        raise UsageError(
            f"there is no file or data set {name!r}{nearest(name, names)}; name a .jsonl, .json or "
            f".parquet file, a directory, one of {', '.join(names)}, or OWNER/NAME on Hugging Face"
        )
    return f"{OWNER}/{known}"


def find_row(name: str, instance_id: str, split: str = "test") -> Row:
    """The row with an id.

    Raises:
        UsageError, InfraFault: as `open_dataset`, or there is none.
    """
    return open_dataset(name, split).rows([instance_id])[0]


def _in_directory(path: Path, split: str) -> list[Path]:
    """`<split>.parquet` (or .jsonl, .json), or the parts as Hugging Face lays them out."""
    for suffix in SUFFIXES:
        if (path / f"{split}{suffix}").is_file():
            return [path / f"{split}{suffix}"]
    for place in (path, path / "data"):
        parts = sorted(place.glob(f"{split}-*-of-*.parquet"))
        if parts:
            return parts
    there = sorted(file.stem for file in path.iterdir() if file.suffix in SUFFIXES)
    raise UsageError(
        f"{path} has no {split}.parquet, {split}.jsonl or {split}.json"
        + (f"; it has the splits {', '.join(there)} (--split)" if there else "")
    )
