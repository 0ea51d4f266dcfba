"""uv's cache of packages, kept in bounds: what was unpacked first goes first.

uv itself only grows it (astral-sh/uv#5731). An archive that is gone it fetches again.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.workspace.disk_usage import size_bytes
from tools.workspace.shared_lock import held_alone, hold_shared

# Where uv keeps unpacked wheels, nine tenths of the whole; the number is its format's.
ARCHIVES = "archive-v*"


@dataclass(frozen=True)
class PackageCache:
    """The cache of a state directory.

    Attributes:
        directory: uv's; it need not exist.
        most_bytes: what it is cut back to.
    """

    directory: Path
    most_bytes: int

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Nobody removes from it meanwhile; waits while somebody does."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with hold_shared(self._lock):
            yield

    def trim(self) -> int:
        """Cuts it back, unless somebody uses it; returns the bytes removed."""
        if not self.directory.is_dir():
            return 0
        with held_alone(self._lock) as is_free:
            return self._trim() if is_free else 0

    def _trim(self) -> int:
        total = self._known_bytes()
        if total is None or total > self.most_bytes:
            total = size_bytes(self.directory)
        removed = 0
        for archive in self._archives():
            if total - removed <= self.most_bytes:
                break
            removed += size_bytes(archive)
            shutil.rmtree(archive, ignore_errors=True)
        self._known.write_text(f"{total - removed}\n", encoding="ascii")
        return removed

    def _known_bytes(self) -> int | None:
        """The total as it was last, with what was unpacked since; None where nobody knows."""
        try:
            then_bytes, then_s = int(self._known.read_text("ascii")), self._known.stat().st_mtime
        except (FileNotFoundError, ValueError):
            return None
        since = (path for path in self._archives() if path.stat().st_mtime >= then_s)
        return then_bytes + sum(map(size_bytes, since))

    def _archives(self) -> list[Path]:
        found = self.directory.glob(f"{ARCHIVES}/*/")
        return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))

    @property
    def _lock(self) -> Path:
        return self.directory.with_name(f"{self.directory.name}.lock")

    @property
    def _known(self) -> Path:
        return self.directory / "agent_runner_bytes"
