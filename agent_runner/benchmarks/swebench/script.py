"""The evaluation script and the parser of a row that brings none (SWE-bench 4.x).

The script has the shape that `swebench` 4.1 made for Python projects (`make_eval_script_list_py`,
`get_test_directives`) and that rows of 5.x carry, so one grading reads both.
"""

import re
import shlex

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

DELIMITER = "EOF_114329324912"
ACTIVATE = ("source /opt/miniconda3/bin/activate", "conda activate testbed")
INSTALL = "python -m pip install -e ."
NOTHING_TO_SET_BACK = 'echo "No test files to reset"'
# swebench.harness.constants.NON_TEST_EXTS; importing the package for it takes a second.
NO_TESTS = (
    ".json", ".png", "csv", ".txt", ".md", ".jpg", ".jpeg", ".pkl", ".yml", ".yaml", ".toml",
)  # fmt: skip
TOUCHED = re.compile(r"^diff --git a/.* b/(.*)$", re.MULTILINE)


def eval_script(base_commit: str, test_patch: str, test_cmd: str) -> str:
    """The whole script: what the tree is, install, hidden tests, tests between the markers.

    Args:
        test_cmd: what runs tests, without the names of any.

    Raises:
        ValueError: `test_patch` is no diff, or names no test file.
    """
    chosen = directives(test_patch, test_cmd)
    if not chosen:
        raise ValueError("touches no test file")
    files = files_at_base(test_patch)
    set_back = shlex.join(["git", "checkout", base_commit, *files])
    reset = set_back if files else NOTHING_TO_SET_BACK
    lines = [
        "#!/bin/bash",
        "set -uxo pipefail",
        *ACTIVATE,
        "cd /testbed",
        "git config --global --add safe.directory /testbed",
        "cd /testbed",
        "git status",
        "git show",
        f"git -c core.fileMode=false diff {base_commit}",
        *ACTIVATE,
        INSTALL,
        reset,
        f"git apply -v - <<'{DELIMITER}'\n{test_patch}\n{DELIMITER}",
        ": '>>>>> Start Test Output'",
        f"{test_cmd} {shlex.join(chosen)}",
        ": '>>>>> End Test Output'",
        reset,
    ]
    return "\n".join(lines) + "\n"


def directives(test_patch: str, test_cmd: str) -> tuple[str, ...]:
    """What the test command is told to run: the files touched, as modules for `runtests.py`."""
    files = [path for path in TOUCHED.findall(test_patch) if not path.endswith(NO_TESTS)]
    if "runtests.py" not in test_cmd:
        return tuple(files)
    names = [path.removesuffix(".py").removeprefix("tests/").replace("/", ".") for path in files]
    return tuple(names)


def files_at_base(test_patch: str) -> tuple[str, ...]:
    """The files a test patch changes or removes; one it adds cannot be set back.

    `git checkout` of a path the commit lacks sets nothing back at all.

    Raises:
        ValueError: it is no diff.
    """
    try:
        patched = PatchSet(test_patch)
    except UnidiffParseError as error:
        raise ValueError(f"is no diff: {error}") from error
    sources = [file.source_file for file in patched if not file.is_added_file]
    return tuple(name.removeprefix("a/") for name in sources)


def parser_of(repo: str) -> str:
    """The parser of a repository's logs by the `swebench` package's map; "" where it has none.

    Imports that package, which takes seconds.
    """
    from swebench.harness.log_parsers import PARSER_REGISTRY  # type: ignore[import-untyped]
    from swebench.harness.log_parsers.python import (  # type: ignore[import-untyped]
        MAP_REPO_TO_PARSER_PY,
    )

    parse = MAP_REPO_TO_PARSER_PY.get(repo)
    names = [name for name, known in PARSER_REGISTRY.items() if known is parse]
    project = repo.rpartition("/")[2]
    own = [name for name in names if project.startswith(name.removeprefix("parse_log_"))]
    return next(iter(own or names), "")
