"""The rows of one split as they lie in a file: ids at once, the columns of a row when asked for.

A full set has thousands of rows of tens of kilobytes, so nothing is parsed that nobody wants.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent_runner.errors import UsageError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

Columns = Mapping[str, object]
SUFFIXES = (".parquet", ".jsonl", ".json")
BATCH = 128
# Inside a JSON string the closing quote would stand behind a backslash.
ID = re.compile(rb'"instance_id"\s*:\s*("(?:[^"\\]|\\.)*")')


class Table(Protocol):
    """Rows by position."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The instance id of each row, "" where it has none."""

    def where(self, position: int) -> str:
        """The place of a row, for messages."""

    def rows(self, positions: Sequence[int]) -> list[Columns]:
        """The columns of rows. Raises UsageError: one cannot be read."""


def open_table(paths: Sequence[Path], columns: Collection[str]) -> Table:
    """The rows of one split; several Parquet files are its parts.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        if paths[0].suffix == ".parquet":
            return ParquetRows(tuple(paths), columns)
        content = paths[0].read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the data set {paths[0]}: {error.strerror}") from error
    if paths[0].suffix == ".json":
        return _json_rows(paths[0], content)
    # Not `splitlines`: it would cut at more than line feeds.
    lines = enumerate(content.split(b"\n"), start=1)
    return JsonLines(paths[0], tuple((number, line) for number, line in lines if line.strip()))


@dataclass(frozen=True)
class JsonLines:
    """One JSON object a line."""

    path: Path
    lines: tuple[tuple[int, bytes], ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Found without parsing, where a line has one such key."""
        return tuple(self._id(position) for position in range(len(self.lines)))

    def _id(self, position: int) -> str:
        found = ID.findall(self.lines[position][1])
        if len(found) == 1:
            return str(json.loads(found[0]))
        row = self._parsed(position)
        return _id_of(row) if isinstance(row, dict) else ""

    def where(self, position: int) -> str:
        """File and line."""
        return f"{self.path}, line {self.lines[position][0]}"

    def rows(self, positions: Sequence[int]) -> list[Columns]:
        """Parses them."""
        return [_mapping(self._parsed(each), self.where(each)) for each in positions]

    def _parsed(self, position: int) -> object:
        return _loads(self.lines[position][1], self.where(position))


@dataclass(frozen=True)
class MemoryRows:
    """Rows that were read whole."""

    source: str
    found: tuple[object, ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(_id_of(row) for row in self.found)

    def where(self, position: int) -> str:
        """Source and number."""
        return f"{self.source}, row {position + 1}"

    def rows(self, positions: Sequence[int]) -> list[Columns]:
        """They are there."""
        return [_mapping(self.found[each], self.where(each)) for each in positions]


@dataclass(frozen=True)
class ParquetRows:
    """Columns in one or more files; `columns` are those somebody wants."""

    paths: tuple[Path, ...]
    columns: Collection[str]

    @cached_property
    def _files(self) -> "tuple[ParquetFile, ...]":
        from pyarrow import ArrowException  # type: ignore[import-untyped]
        from pyarrow.parquet import ParquetFile

        try:
            return tuple(ParquetFile(path, memory_map=True) for path in self.paths)
        except (OSError, ArrowException) as error:
            raise UsageError(f"cannot read {self._names}: {error}") from error

    @property
    def _names(self) -> str:
        return ", ".join(map(str, self.paths))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """One column, read alone."""
        found: list[str] = []
        for path, file in zip(self.paths, self._files, strict=True):
            if "instance_id" not in file.schema_arrow.names:
                raise UsageError(f"{path} lacks instance_id; it has {file.schema_arrow.names}")
            column = file.read(columns=["instance_id"]).column(0).to_pylist()
            found += ["" if each is None else str(each) for each in column]
        return tuple(found)

    def where(self, position: int) -> str:
        """File and number."""
        return f"{self._names}, row {position + 1}"

    def rows(self, positions: Sequence[int]) -> list[Columns]:
        """Reads the batches they are in, each once."""
        wanted = sorted(set(positions))
        found: dict[int, Columns] = {}
        first = 0
        for file in self._files:
            after = first + file.metadata.num_rows
            here = [each - first for each in wanted if first <= each < after]
            found |= {first + at: row for at, row in self._read(file, here)}
            first = after
        return [found[each] for each in positions]

    def _read(self, file: "ParquetFile", wanted: list[int]) -> Iterator[tuple[int, Columns]]:
        """Only the columns somebody wants, and no further than the last row."""
        if not wanted:
            return
        columns = [name for name in file.schema_arrow.names if name in self.columns]
        first = 0
        for batch in file.iter_batches(batch_size=BATCH, columns=columns):
            here = [each - first for each in wanted if first <= each < first + len(batch)]
            # `take` of a list would import pandas.
            yield from ((first + at, batch.slice(at, 1).to_pylist()[0]) for at in here)
            first += len(batch)
            if first > wanted[-1]:
                return


def _json_rows(path: Path, content: bytes) -> MemoryRows:
    tree = _loads(content, str(path))
    if isinstance(tree, dict) and "instance_id" not in tree:
        tree = list(tree.values())
    return MemoryRows(str(path), tuple(tree if isinstance(tree, list) else [tree]))


def _loads(text: bytes, where: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}: no JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: is not UTF-8 text") from error
    except RecursionError as error:
        raise UsageError(f"{where}: is nested too deeply") from error


def _mapping(row: object, where: str) -> Columns:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: a row is a JSON object")
    return row


def _id_of(row: object) -> str:
    return str(row.get("instance_id") or "") if isinstance(row, dict) else ""
