"""A SWE-bench row made from two consecutive source distributions of a public package.

The older release is the base commit; what the newer one changes in the package is the reference
patch, what it changes in the tests the test patch. Nothing of the package is kept in this tree.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.corpora.instances.damage import Reference
from tests.corpora.instances.truth import Truth, truth_of
from tests.corpora.patches.packages import Package, Release
from tests.corpora.patches.sources import Files, releases

PACKAGE = Package(
    "sqlparse",
    Release("0.4.1", "0f91fd2e829c44362cbcfab3e9ae12e22badaa8a29ad5ff599f9ec109f0454e8"),
    Release("0.4.2", "0c00730c74263a94e5a9919ade150dfc3b19c574389985446148402998287dae"),
)
REPO = "andialbrecht/sqlparse"
INSTANCE_ID = "andialbrecht__sqlparse-released"
# The releases' own days; the row is of the day before the fix came out.
DAYS = ("2020-10-08", "2021-09-10")
CREATED_AT = "2021-09-09T00:{minute:02d}:{second:02d}Z"
TEST_FILES = ("tests/test_format.py", "tests/test_parse.py", "tests/test_regressions.py")
CODE = "sqlparse"
IMAGE = "swebench/sweb.eval.x86_64.andialbrecht_1776_sqlparse-released:latest"
# The shape of an official script of 5.x, as the public data sets have it for pytest projects.
EVAL_SCRIPT = """\
#!/bin/bash
set -uxo pipefail
source /opt/miniconda3/bin/activate
conda activate testbed
cd /testbed
git config --global --add safe.directory /testbed
cd /testbed
git status
git show
git -c core.fileMode=false diff {base}
source /opt/miniconda3/bin/activate
conda activate testbed
python -m pip install -e .
git checkout {base} {files}
git apply -v - <<'EOF_114329324912'
{test_patch}
EOF_114329324912
: '>>>>> Start Test Output'
pytest -rA {files}
: '>>>>> End Test Output'
git checkout {base} {files}
"""


FURTHER_TESTS = """\
diff --git a/tests/test_further.py b/tests/test_further.py
new file mode 100644
--- /dev/null
+++ b/tests/test_further.py
@@ -0,0 +1 @@
+def test_further(): pass
"""


@dataclass(frozen=True)
class Instance:
    """A row, and everything needed to run it without a forge.

    Attributes:
        repository: has the fix as well, as a forge has it.
        fixed_commit: the commit of the newer release.
        dataset: a JSONL file with the row.
        git_config: maps the forge's address to `repository`, for `GIT_CONFIG_GLOBAL`.
    """

    row: Mapping[str, Any]
    repository: Path
    fixed_commit: str
    dataset: Path
    git_config: Path
    truth: Truth

    @property
    def env(self) -> dict[str, str]:
        """What the product's commands need to find the repository."""
        return {"GIT_CONFIG_GLOBAL": str(self.git_config)}

    @property
    def further(self) -> dict[str, Any]:
        """Another row of the same version, to build layers of; its base is the newer release."""
        return dict(self.row) | {
            "test_patch": FURTHER_TESTS,
            "instance_id": f"{INSTANCE_ID}-further",
            "base_commit": self.fixed_commit,
            "image": IMAGE.replace(":", "-further:"),
        }

    @property
    def reference(self) -> Reference:
        """The right patch, to make wrong ones from."""
        base, ids = self.row["base_commit"], self.truth.fail_to_pass

        def read(path: str) -> bytes | None:
            argv = ("git", "-C", str(self.repository), "show", f"{base}:{path}")
            done = subprocess.run(argv, capture_output=True, check=False)
            return done.stdout if done.returncode == 0 else None

        return Reference(self.row["instance_id"], self.row["patch"], ids, read)


def make_instance(place: Path, cache: Path, *, at_s: int = 0) -> Instance:
    """Builds repository and row below an empty directory.

    Args:
        cache: where source distributions are kept; what is missing is downloaded.
        at_s: of the row's hour; another second means layers of its own.
    """
    ((_, old, new),) = releases((PACKAGE,), cache)
    repository = place / "repositories" / REPO.replace("/", "__")
    repository.mkdir(parents=True)
    base, fixed = _history(repository, old, new)
    patch = _git(repository, "diff", base, fixed, "--", CODE)
    test_patch = _git(repository, "diff", base, fixed, "--", *TEST_FILES)
    truth = truth_of(repository, (base, patch, test_patch), TEST_FILES, place / "truth")
    created_at = CREATED_AT.format(minute=at_s // 60, second=at_s % 60)
    row = _row(base, patch, test_patch, truth) | {"created_at": created_at}
    dataset = place / "dataset.jsonl"
    dataset.write_text(json.dumps(row) + "\n", encoding="utf-8")
    config = place / "gitconfig"
    address = f"https://github.com/{REPO}"
    config.write_text(f'[url "{repository}"]\n\tinsteadOf = {address}\n', encoding="utf-8")
    return Instance(row, repository, fixed, dataset, config, truth)


def _row(base: str, patch: str, test_patch: str, truth: Truth) -> dict[str, Any]:
    files = " ".join(TEST_FILES)
    return {
        "repo": REPO,
        "instance_id": INSTANCE_ID,
        "base_commit": base,
        "patch": patch,
        "test_patch": test_patch,
        "problem_statement": "`e0` alone is taken for a number, backticks for an operator, and "
        "stripping a comment loses a carriage return.",
        "hints_text": "",
        "version": "0.4",
        "FAIL_TO_PASS": json.dumps(truth.fail_to_pass),
        "PASS_TO_PASS": json.dumps(truth.pass_to_pass),
        "environment_setup_commit": base,
        "image": IMAGE,
        "eval_script": EVAL_SCRIPT.format(base=base, files=files, test_patch=test_patch),
        "log_parser": "parse_log_pytest",
        "eval_type": "pass_and_fail",
    }


def _history(repository: Path, old: Files, new: Files) -> tuple[str, str]:
    """Two commits on one branch, each tagged; the second is the future."""
    _git(repository, "init", "-q", "-b", "main")
    commits = []
    for tree, release, day in zip((old, new), (PACKAGE.old, PACKAGE.new), DAYS, strict=True):
        _write(repository, tree)
        _git(repository, "add", "-A", "-f")
        _git(repository, "commit", "-q", "-m", f"Release {release.version}", day=day)
        _git(repository, "tag", release.version)
        commits.append(_git(repository, "rev-parse", "HEAD").strip())
    return commits[0], commits[1]


def _write(repository: Path, tree: Files) -> None:
    for path in _git(repository, "ls-files", "-z").split("\0")[:-1]:
        if path not in tree:
            (repository / path).unlink()
    for path, data in tree.items():
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _git(repository: Path, *arguments: str, day: str = DAYS[0]) -> str:
    env = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_NAME": "A" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "a@b" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_DATE": f"{day}T12:00:00Z" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(
        ["git", *arguments], cwd=repository, env=env, capture_output=True, check=True
    )
    return done.stdout.decode()
