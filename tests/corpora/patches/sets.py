"""The pools a corpus is drawn from: ten packages on PyPI, or the seeds' repositories."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from agent_runner.places import root
from tests.corpora.patches.changes import Pool, pool
from tests.corpora.patches.packages import PACKAGES
from tests.corpora.patches.sources import ends, releases

__all__ = ["from_packages", "from_seeds"]


def from_packages(cache: Path, names: Sequence[str] = ()) -> list[Pool]:
    """One pool for each package, or for those named; what `cache` lacks is downloaded."""
    chosen = [each for each in PACKAGES if not names or each.name in names]
    with TemporaryDirectory(prefix="patches-") as scratch:
        return [
            pool(name, old, new, Path(scratch), Random(name))
            for name, old, new in releases(chosen, cache)
        ]


def from_seeds() -> list[Pool]:
    """Two pools for each repository: from its first tree to its last, and back from the middle."""
    pools = []
    for stream in sorted((root() / "seeds" / "repos").glob("*.fast-import")):
        with TemporaryDirectory(prefix="patches-") as scratch:
            first, middle, last = ends(stream, Path(scratch))
            work = Path(scratch, "work")
            work.mkdir()
            for old, new in ((first, last), (middle, first)):
                pools.append(pool(stream.stem, old, new, work, Random(stream.stem)))
    return pools
