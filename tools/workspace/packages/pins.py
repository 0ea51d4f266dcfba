"""Complete lists of exact versions: what a resolution gives and an environment holds."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)")
Pins = Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """From one list to another: first remove, then install (which replaces other versions)."""

    remove: tuple[str, ...]
    install: tuple[str, ...]

    @property
    def size(self) -> int:
        """Packages touched."""
        return len(self.remove) + len(self.install)


def parse_pins(text: str) -> dict[str, str]:
    """Versions by canonical name, of what `uv pip compile` and `uv pip freeze` print."""
    found = (PIN.match(line.strip()) for line in text.split())
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def written(pins: Pins) -> tuple[str, ...]:
    """`name==version` in the order of names."""
    return tuple(f"{name}=={version}" for name, version in sorted(pins.items()))


def difference(have: Pins, want: Pins) -> Difference:
    """What turns an environment into another."""
    return Difference(
        remove=tuple(sorted(set(have) - set(want))),
        install=written({n: v for n, v in want.items() if have.get(n) != v}),
    )


def nearest(candidates: Sequence[Pins], want: Pins) -> int:
    """The index of the list that needs the fewest changes; the earlier one where two do."""
    return min(range(len(candidates)), key=lambda i: difference(candidates[i], want).size)


def digest(parts: Iterable[str]) -> str:
    """Sixteen hexadecimal digits of what determines a layer."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def pinned_names(lines: Iterable[str]) -> frozenset[str]:
    """What requirement lines give one version of, whatever the environment."""
    found = set()
    for line in lines:
        try:
            asked = Requirement(line)
        except InvalidRequirement:
            continue
        exact = (one for one in asked.specifier if one.operator in {"==", "==="})
        if asked.marker is None and any("*" not in one.version for one in exact):
            found.add(str(canonicalize_name(asked.name)))
    return frozenset(found)
