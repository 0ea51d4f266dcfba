"""A file of JSON lines that a kill at any moment leaves whole."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from agent_runner.document import explain
from agent_runner.errors import UsageError
from agent_runner.write_whole import write_whole

T = TypeVar("T", bound=BaseModel)


class Journal(Generic[T]):
    """Lines that are appended as they come to be; the one process that holds the batch writes.

    Every line that ends with a newline is whole. What follows the last newline is what a killed
    process began: it is never read, and cut before the next line is written.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind

    def read(self) -> list[T]:
        """The lines, oldest first; none where there is no file.

        Raises:
            UsageError: a whole line is not what we write.
        """
        lines: list[T] = []
        for number, line in enumerate(self._whole().split(b"\n")[:-1], start=1):
            try:
                lines.append(self._kind.model_validate_json(line))
            except ValidationError as error:
                raise UsageError(
                    f"{self._path}, line {number}: {explain(error, self._kind.model_fields)}"
                ) from error
        return lines

    def mend(self) -> None:
        """Cuts what a killed process left behind the last newline."""
        whole = self._whole()
        if self._path.exists() and self._path.stat().st_size > len(whole):
            os.truncate(self._path, len(whole))

    def append(self, line: T) -> None:
        """Writes one line and waits until it is on the disk.

        Raises:
            OSError: it could not be written; the file is as it was.
        """
        content = line.model_dump_json().encode() + b"\n"
        with self._path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                written = file.write(content)
                if written != len(content):
                    raise OSError(f"{self._path}: {written} of {len(content)} bytes were written")
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise

    def replace(self, lines: Iterable[T]) -> None:
        """Writes other lines in place of those there are, at once."""
        content = b"".join(line.model_dump_json().encode() + b"\n" for line in lines)
        write_whole(self._path, content)

    def _whole(self) -> bytes:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return b""
        return content[: content.rfind(b"\n") + 1]
