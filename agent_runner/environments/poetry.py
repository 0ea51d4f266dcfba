"""Poetry's own tables, in the words of everybody else (PEP 508)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = re.compile(r"^\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Poetry:
    """What `[tool.poetry]` says.

    Attributes:
        python: a specifier, "" where there is none.
        groups: requirement lines by group; the old `dev-dependencies` are the group `dev`.
        extras: names.
        dependencies: what the project needs itself.
    """

    name: str = ""
    python: str = ""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()


def read_poetry(table: object) -> Poetry:
    """Reads the table `[tool.poetry]`."""
    if not isinstance(table, Mapping):
        return Poetry()
    dependencies = table.get("dependencies")
    python = dependencies.get("python", "") if isinstance(dependencies, Mapping) else ""
    groups = {"dev": _lines(table.get("dev-dependencies"))}
    for name, group in _items(table.get("group")):
        groups[name] = groups.get(name, ()) + _lines(
            group.get("dependencies") if isinstance(group, Mapping) else None
        )
    return Poetry(
        name=str(table.get("name", "")),
        python=specifier(python) if isinstance(python, str) else "",
        groups={name: lines for name, lines in groups.items() if lines},
        extras=tuple(name for name, _ in _items(table.get("extras"))),
        dependencies=_lines(dependencies),
    )


def _items(table: object) -> list[tuple[str, object]]:
    return list(table.items()) if isinstance(table, Mapping) else []


def _lines(table: object) -> tuple[str, ...]:
    found = (_line(name, wanted) for name, wanted in _items(table) if name != "python")
    return tuple(line for line in found if line)


def _line(name: str, wanted: object) -> str:
    """One requirement; "" for what comes from elsewhere than the index."""
    if isinstance(wanted, list):
        wanted = wanted[-1] if wanted else "*"
    if isinstance(wanted, str):
        return name + specifier(wanted)
    if not isinstance(wanted, Mapping) or not isinstance(wanted.get("version"), str):
        return ""
    extras = wanted.get("extras")
    bracket = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
    marker = wanted.get("markers")
    tail = f"; {marker}" if isinstance(marker, str) else ""
    return name + bracket + specifier(str(wanted["version"])) + tail


def specifier(text: str) -> str:
    """Poetry's `^1.2`, `~1.2`, `1.*`, `1.2` and `||` as a specifier of PEP 440.

    Of alternatives the last one counts: PEP 440 has no "or".
    """
    last = text.split("||")[-1]
    joined = re.sub(r"([<>=!~^])\s+", r"\1", last.strip())
    parts = [_one(part.strip()) for part in re.split(r"[,\s]+(?=[<>=!~^*\d])", joined)]
    return ",".join(part for part in parts if part)


def _one(part: str) -> str:
    if part in {"", "*"}:
        return ""
    sign = part[0] if part[0] in "^~" and not part.startswith("~=") else ""
    if not sign:
        bare = part[0].isdigit()
        return f"=={part}" if bare else re.sub(r"\s+", "", part)
    version = part[1:].strip()
    found = VERSION.match(version)
    if not found:
        return ""
    numbers = [int(number) for number in found[0].split(".")]
    if sign == "~":
        kept = min(len(numbers), 2)
    else:
        kept = next((i + 1 for i, number in enumerate(numbers) if number), len(numbers))
    above = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    return f">={version},<{'.'.join(map(str, above))}"
