"""The part of a data set that a command works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agent_runner.benchmarks.swebench.dataset import Dataset, open_dataset
from agent_runner.benchmarks.swebench.row import Row
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest

FILTERS = ("repo", "version", "difficulty")


@dataclass(frozen=True)
class Filter:
    """A column and the value it must have."""

    column: str
    value: str


def parse_filter(text: str) -> Filter:
    """Reads `column=value`.

    Raises:
        UsageError: it is not of that form, or the column is no filter.
    """
    column, equals, value = text.partition("=")
    if not equals or column not in FILTERS:
        hint = nearest(column, FILTERS) if equals else ""
        raise UsageError(f"--filter {text}: expected {'=..., '.join(FILTERS)}=...{hint}")
    return Filter(column, value)


@dataclass(frozen=True)
class Subset:
    """What is chosen, in the order of the data set.

    Attributes:
        dataset: a path, an alias or a name on Hugging Face.
        instance_ids: only these; none means all.
        filters: a row must fit one of each column that is named.
    """

    dataset: str
    split: str = "test"
    instance_ids: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()

    @cached_property
    def opened(self) -> Dataset:
        """The data set. Raises as `open_dataset`."""
        return open_dataset(self.dataset, self.split)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of what is chosen; reads no more of the set than that takes.

        Raises:
            UsageError: an id is not there, or nothing fits; InfraFault: as `open_dataset`.
        """
        wanted = set(self.instance_ids)
        for name in wanted - set(self.opened.positions):
            self.opened.rows([name])  # says which are near
        ids = tuple(name for name in self.opened.positions if not wanted or name in wanted)
        return self._filtered(ids) if self.filters else ids

    def _filtered(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        columns = self.opened.columns(ids)
        for name in {each.column for each in self.filters}:
            wanted = {each.value for each in self.filters if each.column == name}
            there = {str(row[name]) for row in columns if row.get(name) is not None}
            if not there:
                raise UsageError(f"--filter {name}=...: {self.dataset} has no column {name}")
            if not wanted & there:
                values = ", ".join(sorted(there)[:10])
                hint = nearest(min(wanted), there) or f"; there are {values}"
                raise UsageError(f"--filter {name}={min(wanted)}: no instance fits{hint}")
            pairs = [
                (each, row)
                for each, row in zip(ids, columns, strict=True)
                if str(row.get(name)) in wanted
            ]
            ids, columns = tuple(each for each, _ in pairs), [row for _, row in pairs]
        if not ids:
            raise UsageError(f"no instance of {self.dataset} fits every --filter")
        return ids

    def rows(self, ids: Sequence[str] | None = None) -> list[Row]:
        """The rows of what is chosen, or of some of it.

        Raises:
            UsageError: as `ids`, or a row is wrong; InfraFault: as `open_dataset`.
        """
        return self.opened.rows(self.ids if ids is None else ids)
