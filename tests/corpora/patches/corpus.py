"""The corpus: so many entries of each kind, the same for the same seed and trees."""

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from tests.corpora.patches.careful import CAREFUL
from tests.corpora.patches.case import Case, Make
from tests.corpora.patches.changes import Change, Pool, changes
from tests.corpora.patches.recovered import RECOVERED
from tests.corpora.patches.refused import REFUSED

__all__ = ["KINDS", "corpus", "entries"]

KINDS: dict[str, Make] = {**RECOVERED, **CAREFUL, **REFUSED}
_WANTED = {"new file": "add", "deleted file": "delete", "renamed file": "rename"}
# So many changes are tried for one kind before it is given up: a damage does not fit every change.
_MOST_TRIES = 4_000


def corpus(pools: Sequence[Pool], seed: int, each: int) -> list[Case]:
    """`each` entries of every kind."""
    return [case for kind in KINDS for case in entries(kind, pools, seed, each)]


def entries(kind: str, pools: Sequence[Pool], seed: int, each: int) -> list[Case]:
    """`each` entries of one kind.

    Raises:
        LookupError: the trees do not give so many.
    """
    found = list(islice(_cases(kind, pools, Random(f"{seed} {kind}")), each))
    if len(found) < each:
        raise LookupError(f"{kind}: {len(found)} entries of {each}")
    return found


def _cases(kind: str, pools: Sequence[Pool], rng: Random) -> Iterator[Case]:
    wanted = [_WANTED[kind]] if kind in _WANTED else []
    for change in islice(changes(pools, rng, wanted), _MOST_TRIES):
        case = KINDS[kind](change, rng)
        if case is not None:
            yield case


def undamaged(pools: Sequence[Pool], seed: int, count: int) -> Iterator[Change]:
    """Changes as they are."""
    return islice(changes(pools, Random(f"{seed} undamaged")), count)
