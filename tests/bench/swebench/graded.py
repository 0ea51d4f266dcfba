"""What one grader said of one prediction, and how long it took."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.row import Record

# {"FAIL_TO_PASS": {"success": [...], "failure": [...]}, ...}
TestsStatus = Mapping[str, Mapping[str, tuple[str, ...]]]


class Graded(Record):
    """One verdict.

    Attributes:
        tests_status: as in the report; None where there is none (no report, or not in it).
        wall_s: from creating the container to the verdict and the container's removal.
        script_s: of it, the evaluation script's own; 0 where it did not run.
    """

    instance_id: str
    resolved: bool
    tests_status: TestsStatus | None
    wall_s: float
    script_s: float

    @property
    def overhead_s(self) -> float:
        """What the grader itself took."""
        return self.wall_s - self.script_s

    def outcome_of(self, test: str) -> str:
        """`FAIL_TO_PASS success` and its like, or what is the matter."""
        if self.tests_status is None:
            return "no tests_status"
        found = [
            f"{kind} {side}"
            for kind, sides in self.tests_status.items()
            for side, names in sides.items()
            if test in names
        ]
        return ", ".join(sorted(found)) or "absent"


class Sitting(Record):
    """What one command of one grader came to.

    Attributes:
        wall_s: of the whole command.
        key: of what was graded; with another one it is done again.
    """

    key: str
    wall_s: float
    graded: tuple[Graded, ...]

    def by_id(self) -> dict[str, Graded]:
        """The verdicts by instance."""
        return {one.instance_id: one for one in self.graded}


@dataclass(frozen=True)
class Group:
    """Predictions that one command grades: at most one of an instance.

    Attributes:
        name: `gold`, `empty`, or the kind of damage.
        patches: by instance id.
        timeout_s: for each evaluation script.
    """

    name: str
    patches: Mapping[str, str]
    timeout_s: int = 1800

    @property
    def slug(self) -> str:
        """As a file name."""
        return self.name.replace(" ", "-")

    def key(self, images: Mapping[str, str]) -> str:
        """Of the patches, the limit and the images they are graded in."""
        seen = {name: (patch, images.get(name, "")) for name, patch in self.patches.items()}
        text = json.dumps([seen, self.timeout_s], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def write(self, directory: Path) -> Path:
        """The predictions as both graders read them."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{self.slug}.jsonl"
        lines = [
            {"instance_id": name, "model_name_or_path": self.slug, "model_patch": patch}
            for name, patch in self.patches.items()
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path


def differences(ours: Sequence[Graded], official: Sequence[Graded]) -> list[str]:
    """Every test of every prediction on which two graders disagree, and every verdict."""
    found = []
    others = {one.instance_id: one for one in official}
    for one in ours:
        other = others.get(one.instance_id)
        if other is None:
            found.append(f"{one.instance_id}: graded by ours alone")
            continue
        if one.resolved != other.resolved:
            found.append(
                f"{one.instance_id}: resolved: ours {one.resolved}, official {other.resolved}"
            )
        for test in sorted(_tests(one) | _tests(other)):
            mine, theirs = one.outcome_of(test), other.outcome_of(test)
            if mine != theirs:
                found.append(f"{one.instance_id}: {test}: ours {mine}, official {theirs}")
    missing = others.keys() - {one.instance_id for one in ours}
    return found + [f"{name}: graded by the official harness alone" for name in sorted(missing)]


def _tests(graded: Graded) -> set[str]:
    sides = (graded.tests_status or {}).values()
    # Without any test, having a status and having none must still differ.
    named = {name for each in sides for names in each.values() for name in names}
    return named or {"(the report as a whole)"}
