"""What plans came to, kept in the state directory: a second time nothing has to be asked."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.workspace.packages.pins import parse_pins


class Resolution(BaseModel):
    """What a plan comes to.

    Attributes:
        pins: `name==version`, everything the environment holds but the project.
        debian: Debian packages, those included that building the pins turned out to need.
        as_of: the earliest of the plan's dates that gives all of it.
        skipped: what the project's lists name and the environment does not hold, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pins: tuple[str, ...]
    debian: tuple[str, ...] = ()
    as_of: str = ""
    skipped: tuple[str, ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        """Versions by name."""
        return parse_pins(" ".join(self.pins))


def find_resolution(home: Path, key: str) -> Resolution | None:
    """What was resolved before; whatever cannot be read is resolved again."""
    try:
        text = _path(home, key).read_text(encoding="utf-8")
        return Resolution.model_validate_json(text)
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def keep_resolution(home: Path, key: str, resolution: Resolution) -> None:
    """Writes it beside and renames: nobody reads half of it."""
    path = _path(home, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.part")
    half.write_text(resolution.model_dump_json(indent=1), encoding="utf-8")
    half.replace(path)


def _path(home: Path, key: str) -> Path:
    return home / "resolutions" / f"{key}.json"
