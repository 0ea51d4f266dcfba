"""What was measured so far, so that a run that was cut short goes on."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tests.bench.row import Record
from tests.bench.say import say

R = TypeVar("R", bound=Record)


async def kept(
    path: Path, kind: type[R], still: Callable[[R], bool], make: Callable[[], Awaitable[R]]
) -> R:
    """What an earlier run wrote there, if it still holds; else it is made and written."""
    found = _read(path, kind)
    if found is not None and still(found):
        say(f"{path.stem}: measured before")
        return found
    made = await make()
    _write(path, made)
    return made


def _read(path: Path, kind: type[R]) -> R | None:
    return kind.model_validate_json(path.read_bytes()) if path.exists() else None


def _write(path: Path, made: Record) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(made.model_dump_json(indent=1), encoding="utf-8")
    part.rename(path)
