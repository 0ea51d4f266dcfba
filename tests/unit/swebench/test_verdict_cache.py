"""Verdicts are found again by what determines them, whole, whoever wrote them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.grading.verdict_cache import VerdictCache, VerdictKey

KEY = VerdictKey(b"patch", "layer", "recipe", "1+swebench-5.0.2", "1800 s")


@pytest.fixture
def cache(tmp_path: Path) -> VerdictCache:
    return VerdictCache(tmp_path / "verdicts")


def graded(place: Path, text: str = "log", **files: str) -> Path:
    place.mkdir()
    for name, content in {"test_output.txt": text, "attempt.json": "{}", **files}.items():
        (place / name).write_text(content, encoding="utf-8")
    return place


def contents(place: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()}


def test_what_is_kept_comes_back_but_for_what_is_the_runs_own(
    cache: VerdictCache, tmp_path: Path
) -> None:
    own = {"row.json": "row", "patch.diff": "patch", "grade.json": "grade"}
    assert not cache.take(KEY, tmp_path)
    assert cache.keep(KEY, graded(tmp_path / "a", **own))
    (tmp_path / "b").mkdir()
    assert cache.take(KEY, tmp_path / "b")
    assert contents(tmp_path / "b") == {"test_output.txt": "log", "attempt.json": "{}"}


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, patch=b"patch\n"),
        replace(KEY, layer="other"),
        replace(KEY, recipe="other"),
        replace(KEY, version="2+swebench-5.0.2"),
        replace(KEY, limits="900 s"),
    ],
)
def test_anything_else_is_another_verdict(
    cache: VerdictCache, tmp_path: Path, other: VerdictKey
) -> None:
    cache.keep(KEY, graded(tmp_path / "a"))
    assert not cache.take(other, tmp_path)


def test_the_first_one_stays_and_nothing_half_made_is_left(
    cache: VerdictCache, tmp_path: Path
) -> None:
    places = [graded(tmp_path / f"{n}", text=f"{n}" * 100_000) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda place: cache.keep(KEY, place), places))
    assert cache.take(KEY, tmp_path)
    assert len(set((tmp_path / "test_output.txt").read_text(encoding="utf-8"))) == 1
    assert len(list((tmp_path / "verdicts").rglob("test_output.txt"))) == 1
    assert len(list(next((tmp_path / "verdicts").iterdir()).iterdir())) == 1


def test_a_flood_is_not_kept(
    cache: VerdictCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_runner.grading.verdict_cache.LIMIT_BYTES", 100)
    assert not cache.keep(KEY, graded(tmp_path / "a", text="x" * 101))
    assert not cache.take(KEY, tmp_path)
