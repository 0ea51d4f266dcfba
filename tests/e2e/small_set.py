"""A data set of the shape of SWE-bench over one small repository, and predictions for it."""

import json
from dataclasses import dataclass
from pathlib import Path

from agent_runner.benchmarks.swebench.script import eval_script
from tests.e2e.small_task import FILES
from tests.unit.conftest import Repository

REPO = "someone/tally"
FIX = """\
diff --git a/tally.py b/tally.py
--- a/tally.py
+++ b/tally.py
@@ -1,2 +1,2 @@
 def total(numbers):
-    return sum(numbers[1:])
+    return sum(numbers)
"""
WRONG = FIX.replace("sum(numbers)\n", "sum(numbers[2:])\n")
ELSEWHERE = FIX.replace("numbers[1:]", "numbers[3:]")
HIDDEN = """\
diff --git a/test_tally.py b/test_tally.py
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
BINARY = """\
diff --git a/data.bin b/data.bin
new file mode 100644
index 0000000000000000000000000000000000000000..f76dd238ade08917e6712764a16a22005a50573d
GIT binary patch
literal 1
IcmZPo000310RR91

"""
BIG_LINES = 200_000


def added(name: str, lines: int) -> str:
    """A patch of some 50 bytes a line that adds a file."""
    text = "".join(f"+{number:049d}\n" for number in range(lines))
    return (
        f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
        f"@@ -0,0 +1,{lines} @@\n{text}"
    )


@dataclass(frozen=True)
class SmallSet:
    """The repository, and what is written beside it.

    Attributes:
        commit: the base of every row.
    """

    place: Path
    commit: str

    @classmethod
    def make(cls, place: Path) -> "SmallSet":
        """Makes the repository, and a git configuration by which it stands for the forge's."""
        repository = Repository(place / "tally")
        repository.path.mkdir(parents=True)
        repository.git("init", "-q", "-b", "main")
        commit = repository.commit(FILES)
        address = f'[url "{repository.path}"]\n\tinsteadOf = https://github.com/{REPO}\n'
        safe = "[safe]\n\tdirectory = *\n"
        (place / "gitconfig").write_text(address + safe, encoding="utf-8")
        return cls(place, commit)

    @property
    def env(self) -> dict[str, str]:
        """The variables that make git take the repository for the one of the rows."""
        return {"GIT_CONFIG_GLOBAL": str(self.place / "gitconfig")}

    def row(self, instance_id: str, **changes: str) -> dict[str, object]:
        """A row of 5.x."""
        row = {
            "instance_id": instance_id,
            "repo": REPO,
            "base_commit": self.commit,
            "patch": FIX,
            "test_patch": HIDDEN,
            "problem_statement": "`total` forgets the first number",
            "created_at": "2024-06-01T00:00:00Z",
            "version": "1.0",
            "FAIL_TO_PASS": '["test_tally.py::test_all_of_them"]',
            "PASS_TO_PASS": '["test_tally.py::test_nothing"]',
            "image": "",
            "eval_script": eval_script(self.commit, HIDDEN, "pytest -rA"),
            "log_parser": "parse_log_pytest",
            "eval_type": "pass_and_fail",
        }
        return row | changes

    def write_rows(self, name: str, rows: list[dict[str, object]]) -> Path:
        """One a line."""
        path = self.place / name
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        return path

    def write_predictions(self, name: str, patches: dict[str, str | None]) -> Path:
        """As mini-swe-agent writes them."""
        found = {
            key: {"instance_id": key, "model_name_or_path": "somebody/model", "model_patch": patch}
            for key, patch in patches.items()
        }
        path = self.place / name
        path.write_text(json.dumps(found), encoding="utf-8")
        return path
