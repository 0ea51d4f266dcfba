"""An entry of the corpus."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.corpora.patches.changes import Change
from tests.corpora.patches.tree import Tree

__all__ = ["Case", "Demand", "Make"]

Demand = Literal["recover", "refuse", "careful"]


@dataclass(frozen=True)
class Case:
    """A tree, a damaged diff, and what has to come of it.

    Attributes:
        demand: `recover`: the tree of the undamaged diff, in most cases of its kind; `careful`:
            that tree or a refusal; `refuse`: a refusal.
        after: the tree that the undamaged diff gives; for `refuse`, None.
        as_written: where the damage took white space off added lines, which nobody can see, the
            tree that the damaged lines give.
    """

    kind: str
    demand: Demand
    source: str
    before: Tree
    patch: bytes
    after: Tree | None
    as_written: Tree | None = None


Make = Callable[[Change, Random], Case | None]
