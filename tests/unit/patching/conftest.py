"""Applying a patch to a tree given as path and bytes, or entries, without any disk."""

from collections.abc import Callable, Mapping

import pytest

from tools.patching import (
    Entry,
    PatchLimits,
    PatchRefusal,
    Plan,
    candidate_paths,
    parse,
    plan,
)

Tree = Mapping[str, bytes | Entry]


def entry(given: bytes | Entry) -> Entry:
    return Entry("file", given) if isinstance(given, bytes) else given


@pytest.fixture
def planned() -> Callable[..., Plan]:
    def apply(patch: str | bytes, tree: Tree, limits: PatchLimits | None = None) -> Plan:
        changes = parse(patch, limits)
        entries = {path: entry(given) for path, given in tree.items()}
        asked = {path: entries.get(path, Entry()) for path in candidate_paths(changes)}
        return plan(changes, asked, limits)

    return apply


@pytest.fixture
def written(planned: Callable[..., Plan]) -> Callable[..., dict[str, bytes | None]]:
    """What is written, by path; None for a deleted file."""

    def apply(patch: str | bytes, tree: Tree) -> dict[str, bytes | None]:
        made = planned(patch, tree)
        gone: dict[str, bytes | None] = dict.fromkeys(made.deletes)
        return gone | {write.path: write.data for write in made.writes}

    return apply


@pytest.fixture
def refused(planned: Callable[..., Plan]) -> Callable[..., PatchRefusal]:
    def apply(patch: str | bytes, tree: Tree, limits: PatchLimits | None = None) -> PatchRefusal:
        with pytest.raises(PatchRefusal) as caught:
            planned(patch, tree, limits)
        return caught.value

    return apply
