"""Releases that were seen not to build, kept in the state directory: trying again costs seconds.

Only what a build itself said is kept, by all that determines it, and for a week: a failure of the
index that went unnoticed is not remembered for longer.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from tools.workspace.engine import Image
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.packages.ground import ROOT, base_key
from tools.workspace.packages.pins import digest

AGE_S = 7 * 24 * 3600.0
# What uv says where the package's own build has failed, rather than the way to it.
OWN = "The build backend returned an error"


class Failed(BaseModel):
    """One release: what uv said, and when, seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    said: str
    at_s: float


class _File(RootModel[dict[str, Failed]]):
    """By `name==version`."""


class Unbuildable:
    """What does not build with a Python, its build tools and what else the layers below hold."""

    def __init__(self, home: Path, architecture: str, below: Image, plan: EnvironmentPlan) -> None:
        parts = (architecture, below.labels.get(ROOT) or base_key(below), plan.python)
        self._path = home / "unbuildable" / f"{digest((*parts, *sorted(plan.debian)))}.json"

    def known(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Those of the releases that are known not to build: names, with what uv said."""
        kept = self._read()
        pins = {name: f"{name}=={version}" for name, version in versions.items()}
        return {name: kept[pin].said for name, pin in pins.items() if pin in kept}

    def keep(self, pins: Mapping[str, str], said: str) -> None:
        """Remembers that these do not build, if their own build said so."""
        if OWN not in said:
            return
        new = {
            f"{name}=={version}": Failed(said=said, at_s=time.time())
            for name, version in pins.items()
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        half = self._path.with_suffix(f".{os.getpid()}.part")
        half.write_text(_File(self._read() | new).model_dump_json(indent=1), encoding="utf-8")
        half.replace(self._path)

    def _read(self) -> dict[str, Failed]:
        """What can be read and is not too old; the rest is tried again."""
        try:
            kept = _File.model_validate_json(self._path.read_text(encoding="utf-8")).root
        except (OSError, UnicodeDecodeError, ValidationError):
            return {}
        oldest_s = time.time() - AGE_S
        return {pin: failed for pin, failed in kept.items() if failed.at_s > oldest_s}
