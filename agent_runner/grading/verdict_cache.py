"""Verdicts that are kept across runs and processes: the same patch is never run twice.

What is kept is the whole directory of a grading, logs included, under the hash of all that
determines it. An entry is made elsewhere and renamed into place, so that nobody reads half of one.
"""

import hashlib
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

# What one entry may take; a flood of output is run again rather than kept.
LIMIT_BYTES = 50_000_000
# What belongs to the run and not to the verdict.
NOT_KEPT = frozenset({"row.json", "patch.diff", "grade.json"})


@dataclass(frozen=True)
class VerdictKey:
    """What determines a verdict.

    Attributes:
        layer: of the instance layer.
        recipe: of script, test ids and parser.
        version: of the grading: ours and that of `swebench`.
        limits: seconds, memory and cpus the tests got.
    """

    patch: bytes
    layer: str
    recipe: str
    version: str
    limits: str

    def __str__(self) -> str:
        patch = hashlib.sha256(self.patch).hexdigest()
        parts = (patch, self.layer, self.recipe, self.version, self.limits)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class VerdictCache:
    """Entries below one directory."""

    place: Path

    def take(self, key: VerdictKey, directory: Path) -> bool:
        """Copies the files of a kept verdict; False where there is none."""
        entry = self._entry(key)
        if not entry.is_dir():
            return False
        shutil.copytree(entry, directory, dirs_exist_ok=True)
        return True

    def keep(self, key: VerdictKey, directory: Path) -> bool:
        """Keeps the files of a directory; the first one to do so wins. False for a flood."""
        files = [
            path for path in directory.iterdir() if path.is_file() and path.name not in NOT_KEPT
        ]
        if sum(path.stat().st_size for path in files) > LIMIT_BYTES:
            return False
        entry = self._entry(key)
        part = entry.with_name(f".{entry.name}.{os.getpid()}.{secrets.token_hex(4)}")
        part.mkdir(parents=True)
        try:
            for path in files:
                shutil.copyfile(path, part / path.name)
            part.rename(entry)
        except OSError:
            if not entry.is_dir():
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return True

    def _entry(self, key: VerdictKey) -> Path:
        name = str(key)
        return self.place / name[:2] / name
