"""A task of few seconds, layers included: its repository, its row, and a model that solves it."""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.unit.conftest import Repository

DAY = "2024-06-01"
FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "tally"
version = "1.0"

[tool.setuptools]
py-modules = ["tally"]
""",
    "tally.py": "def total(numbers):\n    return sum(numbers[1:])\n",
    "test_tally.py": """\
from tally import total


def test_nothing():
    assert total([]) == 0
""",
}
FIX = """\
--- a/tally.py
+++ b/tally.py
@@ -1,2 +1,2 @@
 def total(numbers):
-    return sum(numbers[1:])
+    return sum(numbers)
"""
HIDDEN = """\
--- a/test_tally.py
+++ b/test_tally.py
@@ -4,2 +4,6 @@
 def test_nothing():
     assert total([]) == 0
+
+
+def test_all_of_them():
+    assert total([1, 2]) == 3
"""
TURNS = (
    ("swe_clone", {}),
    ("swe_install", {}),
    ("swe_pytest", {"paths": ["test_tally.py"]}),
    ("docker_sh", {"command": "sleep 0.5; cat tally.py"}),
    ("swe_apply_patch", {"patch": FIX}),
    ("swe_pytest", {"paths": ["test_tally.py"]}),
)


@dataclass(frozen=True)
class SmallTask:
    """The task below a directory of its own."""

    place: Path

    @classmethod
    def make(cls, place: Path) -> "SmallTask":
        """Writes repository and script."""
        place.mkdir()
        repository = Repository(place / "tally")
        repository.path.mkdir()
        repository.git("init", "-q", "-b", "main")
        repository.commit(FILES)
        turns = [{"reply": {"calls": [{"tool": t, "arguments": a}]}} for t, a in TURNS]
        turns.append({"reply": {"content": "Done.\n\nTERMINATE"}})
        (place / "script.yaml").write_text(yaml.safe_dump({"turns": turns}), encoding="utf-8")
        return cls(place)

    def args(self, second: int) -> tuple[str, ...]:
        """A command line; another second of the day means layers of its own."""
        row = {
            "task_id": "tally__all-of-them",
            "repo": str(self.place / "tally"),
            "ref": "main",
            "created_at": f"{DAY}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z",
            "problem_statement": "`total` forgets the first number",
            "patch": FIX,
            "test_patch": HIDDEN,
            "FAIL_TO_PASS": ["test_tally.py::test_all_of_them"],
            "PASS_TO_PASS": ["test_tally.py::test_nothing"],
        }
        tasks = self.place / f"tasks-{second}.jsonl"
        tasks.write_text(json.dumps(row) + "\n", encoding="utf-8")
        return (
            "--tasks", str(tasks), "--task-id", row["task_id"],
            "--solver", "replay", "--recording", str(self.place / "script.yaml"),
        )  # fmt: skip
