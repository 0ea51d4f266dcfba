"""Where a repository's history is cut into layers: dated ancestors that its commits share.

Eras and years lie below the environments. A half year lies on one: below it, it would make each
environment be stored once more.
"""

from datetime import UTC, datetime

from tools.workspace.git import git
from tools.workspace.mirrors import Mirror

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


async def checkpoints(mirror: Mirror, commit: str) -> tuple[str, ...]:
    """Ancestors whose history a commit's layer stands on, oldest first; none where it is short.

    They are the last commits of the first-parent line before the boundaries, so they depend on the
    commit alone, and nothing in them is later than it.
    """
    found: list[str] = []
    for before_s in boundaries(await commit_s(mirror, commit)):
        ancestor = await _last_before(mirror, commit, before_s)
        if ancestor and ancestor not in found and await _is_worth(mirror, ancestor):
            found.append(ancestor)
    return tuple(found)


async def recent(mirror: Mirror, commit: str, since: str) -> str:
    """The ancestor that commits of a half year share on an environment; "" if it is not worth it.

    Args:
        since: the last of the commit's `checkpoints`, "" for none.
    """
    if not since:
        return ""
    ancestor = await _last_before(mirror, commit, half_year(await commit_s(mirror, commit)))
    return ancestor if await _is_worth(mirror, ancestor, since) else ""


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
