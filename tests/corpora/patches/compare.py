"""The corpus through the engine and, beside it, through what others use to apply a diff."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.corpora.patches.case import Case, Demand
from tests.corpora.patches.judge import Outcome, outcome
from tests.corpora.patches.tree import Tree, read, write
from tools.patching import PatchRefusal, candidate_paths, parse, plan
from tools.patching.directory import carry_out, read_tree

__all__ = ["TOOLS", "Count", "compare"]

ENGINE = "swe_apply_patch"
LEAST = 0.95
_LIMIT_S = 20
# The words of git's commands must not depend on this machine, nor its repository on those above.
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "LC_ALL": "C",
}

Apply = Callable[[Path, bytes], bool]


@dataclass(frozen=True)
class Count:
    """How one tool did on one kind; `half` are refusals that left a changed tree."""

    kind: str
    demand: Demand
    tool: str
    right: int
    as_written: int
    refused: int
    half: int
    wrong: int

    @property
    def n(self) -> int:
        """Entries."""
        return self.right + self.as_written + self.refused + self.half + self.wrong

    @property
    def holds(self) -> bool:
        """Whether it is as the demand wants it."""
        least = {"recover": LEAST * self.n, "careful": 0, "refuse": 0}[self.demand]
        return not self.wrong and not self.half and self.right >= least

    @property
    def text(self) -> str:
        """For a table."""
        numbers = (self.right, self.as_written, self.refused, self.half, self.wrong)
        return " / ".join(map(str, numbers))


def engine(root: Path, patch: bytes) -> bool:
    """Ours, on a directory as `python -m tools.patching` applies it."""
    try:
        changes = parse(patch)
        carry_out(plan(changes, read_tree(root, candidate_paths(changes))), root)
    except PatchRefusal:
        return False
    return True


def command(*argv: str) -> Apply:
    """Another tool, the diff on stdin."""

    def apply(root: Path, patch: bytes) -> bool:
        done = subprocess.run(
            argv, cwd=root, input=patch, capture_output=True, env=_ENVIRONMENT, timeout=_LIMIT_S
        )
        return done.returncode == 0

    return apply


TOOLS: Mapping[str, Apply] = {
    ENGINE: engine,
    "git apply": command("git", "apply", "-"),
    "git apply --recount --3way": command("git", "apply", "--recount", "--3way", "-"),
    "patch -p1 --fuzz=3": command(
        "patch", "-p1", "--fuzz=3", "--batch", "--silent", "--no-backup-if-mismatch"
    ),
}


def compare(cases: Sequence[Case], tools: Mapping[str, Apply] = TOOLS) -> list[Count]:
    """Every tool on every entry; entries of one kind follow each other."""
    counts = []
    for kind, found in groupby(cases, key=lambda case: case.kind):
        same = list(found)
        for tool, apply in tools.items():
            seen = Counter(_outcome(case, apply) for case in same)
            counts.append(_count(kind, same[0].demand, tool, seen))
    return counts


def _outcome(case: Case, apply: Apply) -> Outcome | str:
    with TemporaryDirectory(prefix="patches-") as scratch:
        root = Path(scratch, "work", "project")
        write(case.before, root)
        for argv in (["init", "-q", "."], ["add", "-A", "-f"]):
            subprocess.run(["git", *argv], cwd=root, check=True, env=_ENVIRONMENT)
        before = read(root)
        applied = apply(root, case.patch)
        tree: Tree = read(root)
    if not applied:
        return "refused" if tree == before else "half"
    return outcome(case, tree)


def _count(kind: str, demand: Demand, tool: str, seen: Counter[Outcome | str]) -> Count:
    return Count(
        kind, demand, tool, seen["right"], seen["as written"], seen["refused"], seen["half"],
        seen["wrong"],
    )  # fmt: skip
