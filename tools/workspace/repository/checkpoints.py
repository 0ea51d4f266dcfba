"""Where a repository's history is cut into layers: dated ancestors that its commits share.

Eras and years lie below the environments. A half year lies on one: below it, it would make each
environment be stored once more.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.workspace.repository.git import git
from tools.workspace.repository.mirrors import Mirror

# A root costs up to 250 MB for each Python. Later years come to 5 MB (median) to 25 MB (p90) for an
# instance, and a shorter span only makes environments be stored again, which stand on checkpoints.
ROOT_YEARS = 4
# Below it a layer of its own costs more time than it saves room.
WORTH_COMMITS = 500


def boundaries(commit_s: int) -> tuple[int, int]:
    """The last calendar boundaries at or before a commit's date, seconds since 1970.

    First that of its era, then that of its year; the same for all of one year.
    """
    year = datetime.fromtimestamp(commit_s, UTC).year
    years = (year - year % ROOT_YEARS, year)
    root_s, year_s = (int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) for each in years)
    return root_s, year_s


@dataclass(frozen=True)
class Cuts:
    """Ancestors whose history a commit's layer stands on.

    Attributes:
        shared: those below the environment, oldest first; none where the history is short.
        recent: the one that commits of a half year share on an environment; "" where it is not
            worth a layer.
    """

    shared: tuple[str, ...]
    recent: str

    @property
    def last(self) -> str:
        """The newest of them; "" for none."""
        return self.recent or "".join(self.shared[-1:])


async def cuts(mirror: Mirror, commit: str) -> Cuts:
    """Where a commit's history is cut.

    At the last commits of the first-parent line before calendar boundaries, so that they depend on
    the commit alone, and nothing in them is later than it.
    """
    date_s = await commit_s(mirror, commit)
    before = (*boundaries(date_s), half_year(date_s))
    found = await asyncio.gather(*(_last_before(mirror, commit, each_s) for each_s in before))
    *dated, half = found
    named = [each for each in dict.fromkeys(dated) if each]
    worth = await asyncio.gather(*(_is_worth(mirror, each) for each in named))
    shared = tuple(each for each, is_worth in zip(named, worth, strict=True) if is_worth)
    if not shared or not await _is_worth(mirror, half, shared[-1]):
        return Cuts(shared, "")
    return Cuts(shared, half)


def half_year(commit_s: int) -> int:
    """The last start of a half year at or before a commit's date, seconds since 1970."""
    day = datetime.fromtimestamp(commit_s, UTC)
    return int(datetime(day.year, 7 if day.month > 6 else 1, 1, tzinfo=UTC).timestamp())


async def _last_before(mirror: Mirror, commit: str, before_s: int) -> str:
    argv = ("rev-list", "-1", "--first-parent", f"--before={before_s}", commit)
    return (await git(*argv, cwd=mirror.path)).decode().strip()


async def commit_s(mirror: Mirror, commit: str) -> int:
    """A commit's own date, seconds since 1970."""
    return int(await git("show", "-s", "--format=%ct", commit, cwd=mirror.path))


async def _is_worth(mirror: Mirror, commit: str, since: str = "") -> bool:
    past = (commit, *([f"^{since}"] if since else []))
    argv = ("rev-list", "--count", f"--max-count={WORTH_COMMITS}", *past)
    return int(await git(*argv, cwd=mirror.path)) >= WORTH_COMMITS
