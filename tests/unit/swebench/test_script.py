"""The script of a row that brings none."""

import pytest

from agent_runner.benchmarks.swebench.script import directives, eval_script, files_at_base
from tests.unit.swebench.rows import COMMIT, TEST_PATCH

MANY = """\
diff --git a/tests/test_a.py b/tests/test_a.py
--- a/tests/test_a.py
+++ b/tests/test_a.py
@@ -1 +1 @@
-a
+b
diff --git a/tests/sub/new.py b/tests/sub/new.py
new file mode 100644
--- /dev/null
+++ b/tests/sub/new.py
@@ -0,0 +1 @@
+a
diff --git a/tests/empty.py b/tests/empty.py
new file mode 100644
diff --git a/tests/gone.py b/tests/gone.py
deleted file mode 100644
--- a/tests/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-a
diff --git a/tests/old name.py b/tests/moved.py
similarity index 90%
rename from tests/old name.py
rename to tests/moved.py
--- a/tests/old name.py
+++ b/tests/moved.py
@@ -1 +1 @@
-a
+b
diff --git a/tests/data.json b/tests/data.json
--- a/tests/data.json
+++ b/tests/data.json
@@ -1 +1 @@
-1
+2
"""
SCRIPT = f"""\
#!/bin/bash
set -uxo pipefail
source /opt/miniconda3/bin/activate
conda activate testbed
cd /testbed
git config --global --add safe.directory /testbed
cd /testbed
git status
git show
git -c core.fileMode=false diff {COMMIT}
source /opt/miniconda3/bin/activate
conda activate testbed
python -m pip install -e .
git checkout {COMMIT} tests/test_words.py
git apply -v - <<'EOF_114329324912'
{TEST_PATCH}
EOF_114329324912
: '>>>>> Start Test Output'
pytest -rA tests/test_words.py
: '>>>>> End Test Output'
git checkout {COMMIT} tests/test_words.py
"""


def test_the_script_has_the_official_shape() -> None:
    assert eval_script(COMMIT, TEST_PATCH, "pytest -rA") == SCRIPT


def test_all_files_touched_are_run_but_those_that_hold_no_tests() -> None:
    expected = ("tests/test_a.py", "tests/sub/new.py", "tests/empty.py", "tests/gone.py",
                "tests/moved.py")  # fmt: skip
    assert directives(MANY, "tox --current-env -v --") == expected


def test_a_runner_of_modules_gets_modules() -> None:
    command = "./tests/runtests.py --verbosity 2"
    assert directives(MANY, command)[:2] == ("test_a", "sub.new")
    assert " test_a sub.new empty gone moved\n" in eval_script(COMMIT, MANY, command)


def test_only_what_the_commit_has_is_set_back() -> None:
    there = ("tests/test_a.py", "tests/gone.py", "tests/old name.py", "tests/data.json")
    assert files_at_base(MANY) == there
    line = (
        f"git checkout {COMMIT} tests/test_a.py tests/gone.py 'tests/old name.py' tests/data.json"
    )
    assert eval_script(COMMIT, MANY, "pytest").splitlines().count(line) == 2


def test_with_new_files_alone_nothing_is_checked_out() -> None:
    script = eval_script(COMMIT, MANY[MANY.index("diff --git a/tests/sub") :].partition(
        "diff --git a/tests/gone"
    )[0], "pytest")  # fmt: skip
    assert "git checkout" not in script
    assert script.endswith('echo "No test files to reset"\n')


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("", "touches no test file"),
        ("not a diff", "touches no test file"),
        (MANY[MANY.index("diff --git a/tests/data") :], "touches no test file"),
        ("diff --git a/t.py b/t.py\n--- a/t.py\n+++ b/t.py\n@@ -1,9 +1 @@\n-a\n", "is no diff"),
    ],
)
def test_a_test_patch_without_tests_is_refused(patch: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        eval_script(COMMIT, patch, "pytest")
