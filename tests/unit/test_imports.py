"""The collector rests while modules are imported, and only then."""

import gc
from collections.abc import Iterator

import pytest

from agent_runner.imports import collector_paused


@pytest.fixture(autouse=True)
def _nothing_set_aside() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_collector_rests_inside_and_works_again_after() -> None:
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_import_that_fails_does_not_leave_it_off() -> None:
    with pytest.raises(ModuleNotFoundError), collector_paused():
        import agent_runner.no_such_module  # type: ignore[import-not-found]  # noqa: F401
    assert gc.isenabled()


def test_what_was_imported_is_not_searched_again() -> None:
    before = gc.get_freeze_count()
    with collector_paused():
        kept: list[list[int]] = [[] for _ in range(10)]
    assert gc.get_freeze_count() >= before + len(kept)
