"""A small task in SWE-bench's shape, over the layer of a seed; and patches against it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_runner.benchmarks.swebench.official import recipe
from agent_runner.grading.attempt import Grader
from agent_runner.grading.verdict import Verdict, judge
from agent_runner.task import Located, Official, Task
from tools.workspace.scratch import scratch

TEST_FILE = "tests/test_merging.py"
HIDDEN = f"""\
@@ -22,5 +22,9 @@
     assert list(merge(Spans.from_pairs(pairs))) == merged
{" "}
{" "}
+def test_hidden():
+    assert list(merge(Spans.from_pairs([(1, 9), (2, 3), (5, 6)]))) == [(1, 9)]
+
+
 def test_merge_twice_changes_nothing():
     once = merge(Spans.from_pairs([(1, 9), (2, 3), (5, 12), (20, 21)]))
"""
TEST_PATCH = (
    f"diff --git a/{TEST_FILE} b/{TEST_FILE}\n--- a/{TEST_FILE}\n+++ b/{TEST_FILE}\n{HIDDEN}"
)
FAIL_TO_PASS = tuple(
    f"{TEST_FILE}::{name}"
    for name in ("test_hidden", "test_merge[nested]", "test_merge_twice_changes_nothing")
)
PASS_TO_PASS = tuple(f"{TEST_FILE}::test_merge[{name}]" for name in ("none", "apart", "touch"))
ALL = FAIL_TO_PASS + PASS_TO_PASS
RESULTS = "\n".join(f"PASSED {name}" for name in ALL)
MARKED = f">>>>> Start Test Output\n{RESULTS}\n>>>>> End Test Output\n>>>>> Test Exit Code: 0\n"


@dataclass(frozen=True)
class OfficialTask:
    """The task, and the grader of its layer."""

    task: Task
    grader: Grader

    def located(
        self,
        *,
        install: bool = False,
        command: str = "pytest -rA",
        parser: str = "parse_log_pytest",
    ) -> Located:
        base = self.task.ref
        lines = [
            "#!/bin/bash",
            "set -uxo pipefail",
            "source /opt/miniconda3/bin/activate",
            "conda activate testbed",
            "cd /testbed",
            "git config --global --add safe.directory /testbed",
            "cd /testbed",
            "git status",
            "git show",
            f"git -c core.fileMode=false diff {base}",
            *(["python -m pip install -e ."] if install else []),
            f"git checkout {base} {TEST_FILE}",
            f"git apply -v - <<'EOF_114329324912'\n{TEST_PATCH}\nEOF_114329324912",
            ": '>>>>> Start Test Output'",
            f"{command} {TEST_FILE}",
            ": '>>>>> End Test Output'",
            f"git checkout {base} {TEST_FILE}",
        ]
        official = Official(
            repo="owner/spanset", version="0.1", image="", eval_script="\n".join(lines) + "\n",
            log_parser=parser, eval_type="pass_and_fail",
        )  # fmt: skip
        ids = {"FAIL_TO_PASS": FAIL_TO_PASS, "PASS_TO_PASS": PASS_TO_PASS}
        task = self.task.model_copy(update={**ids, "test_patch": TEST_PATCH})
        return Located(task, self.task.repo, official)

    async def verdict(self, patch: bytes, **how: Any) -> Verdict:
        """Grades a patch; see `located` for how."""
        return (await self.log(patch, **how))[0]

    async def log(self, patch: bytes, **how: Any) -> tuple[Verdict, str]:
        """Grades a patch and returns the log as well."""
        with scratch() as directory:
            verdict = await judge(self.grader, recipe(self.located(**how)), patch, directory)
            return verdict, text_of(directory / "test_output.txt")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def changing(path: str, old: str, new: str, *, at: int = 1) -> bytes:
    """A patch that replaces whole lines of a file, which stand at a line of it."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    body = "".join(f"-{line}" for line in before) + "".join(f"+{line}" for line in after)
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
    return f"{head}@@ -{at},{len(before)} +{at},{len(after)} @@\n{body}".encode()


def on_import(code: str) -> bytes:
    """A patch whose code runs when the package is imported."""
    first = '"""Sets of half-open intervals [start, end) in numpy arrays."""\n'
    return changing("spanset/__init__.py", first, f"{first}{code}\n")


def on_install(code: str) -> bytes:
    """A patch whose code runs when the project is installed."""
    return changing(
        "setup.py", "from setuptools import setup\n", f"from setuptools import setup\n{code}\n"
    )


# Writes to the stream of the shell that runs the script, past whatever stands between.
TO_SHELL = """\
import os
def shell():
    pid = os.getppid()
    while pid > 1:
        with open(f"/proc/{pid}/cmdline") as file:
            if "eval.sh" in file.read():
                return pid
        with open(f"/proc/{pid}/status") as file:
            pid = int(next(line for line in file if line.startswith("PPid")).split()[1])
    return 1
def tell(text):
    with open(f"/proc/{shell()}/fd/1", "w") as out:
        out.write(text)
"""
