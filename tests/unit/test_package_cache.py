"""The package cache is cut back, and never under somebody's hands."""

import os
from pathlib import Path

import pytest

from tools.workspace.build.package_cache import PackageCache
from tools.workspace.disk_usage import size_bytes

ARCHIVE_BYTES = 40_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three archives, the oldest first in the alphabet's end, and what is no archive."""
    place = tmp_path / "uv"
    for age_s, name in enumerate(("new", "old", "oldest")):
        unpack(place, name, 100 + age_s)
    (place / "simple-v1").mkdir()
    (place / "simple-v1" / "page").write_bytes(b"x" * ARCHIVE_BYTES)
    return place


def unpack(place: Path, name: str, age_s: int) -> None:
    archive = place / "archive-v0" / name
    (archive / "package").mkdir(parents=True)
    (archive / "package" / "module.py").write_bytes(b"x" * ARCHIVE_BYTES)
    then_s = archive.stat().st_mtime - age_s
    os.utime(archive, (then_s, then_s))


def archives(place: Path) -> set[str]:
    return {path.name for path in place.glob("archive-v0/*")}


def test_what_was_unpacked_first_goes_first(directory: Path) -> None:
    most_bytes = size_bytes(directory) - ARCHIVE_BYTES
    removed_bytes = PackageCache(directory, most_bytes).trim()
    assert archives(directory) == {"new", "old"}
    assert size_bytes(directory) <= most_bytes + 4096  # a note of the sum
    assert removed_bytes >= ARCHIVE_BYTES


def test_what_is_no_archive_counts_and_stays(directory: Path) -> None:
    PackageCache(directory, 0).trim()
    assert archives(directory) == set()
    assert (directory / "simple-v1" / "page").is_file()


def test_the_sum_is_kept_and_what_is_new_is_added(directory: Path) -> None:
    most_bytes = size_bytes(directory) + ARCHIVE_BYTES // 2
    cache = PackageCache(directory, most_bytes)
    assert cache.trim() == 0
    assert cache.trim() == 0
    unpack(directory, "later", -1)
    assert cache.trim() > 0
    assert archives(directory) == {"later", "new", "old"}


def test_a_sum_that_is_gone_or_torn_is_made_again(directory: Path) -> None:
    (directory / "agent_runner_bytes").write_text("12 apples")
    PackageCache(directory, 0).trim()
    assert archives(directory) == set()


def test_nothing_goes_while_somebody_builds_with_it(directory: Path) -> None:
    cache = PackageCache(directory, 0)
    with cache.in_use(), PackageCache(directory, 0).in_use():
        assert cache.trim() == 0
        assert len(archives(directory)) == 3
    assert cache.trim() > 0


def test_where_there_is_none_nothing_is_made(tmp_path: Path) -> None:
    assert PackageCache(tmp_path / "uv", 0).trim() == 0
    assert not (tmp_path / "uv").exists()
