"""What releases are taken as of: one date for all, a later one for what is asked to be newer."""

from collections.abc import Iterable
from dataclasses import dataclass, field

# Where more would have to be newer, the project is of a later time: each one costs a try.
MOST_NEWER = 4


@dataclass
class AsOf:
    """The dates of one resolution; it moves to later ones as long as there are any.

    Attributes:
        date: for whatever is not named below.
        later: what may be moved to, the earliest first.
        pinned: names of which one version will do, whenever it was released: they move together,
            which is one try, and are never too many.
        newer: names with dates of their own.
    """

    date: str
    later: tuple[str, ...] = ()
    pinned: frozenset[str] = frozenset()
    newer: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, dates: tuple[str, ...], pinned: frozenset[str] = frozenset()) -> "AsOf":
        """Begins at the first of some dates."""
        first, *later = dates
        return cls(first, tuple(later), pinned)

    @property
    def newest(self) -> str:
        """Nothing taken is later than this."""
        return max(self.date, *self.newer.values(), "")

    @property
    def last(self) -> str:
        """Nothing may ever be later than this."""
        return (self.date, *self.later)[-1]

    def move(self, names: Iterable[str]) -> bool:
        """Takes each of the names as of the next date; all of them where they become too many.

        Returns:
            Whether there are more releases to choose from now.
        """
        moved, asked = False, dict.fromkeys(names)
        if self.pinned & set(asked):
            asked |= dict.fromkeys(sorted(self.pinned))
        for name in asked:
            held = self.newer.get(name, self.date)
            following = next((date for date in self.later if date > held), "")
            if following:
                self.newer[name] = following
                moved = True
        while len(own := set(self.newer) - self.pinned) > MOST_NEWER:
            self.date = min(self.newer[name] for name in own)
            self.newer = {name: date for name, date in self.newer.items() if date > self.date}
        return moved
