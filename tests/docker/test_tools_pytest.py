"""`swe_pytest` in a real workspace."""

from dataclasses import replace

import pytest

from tools.errors import ToolRefusal
from tools.swe_pytest import PytestArguments
from tools.testruns.outcome import Counts
from tools.tool import Answer
from tools.toolset import Toolset
from tools.workspace.spec import WorkspaceSpec
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker


async def run(tools: Toolset, *paths: str, k: str = "") -> Answer:
    return await tools.pytest.call(PytestArguments(paths=list(paths), k=k))


def counts(answer: Answer) -> Counts:
    assert answer.test_run is not None
    return answer.test_run.counts


def with_spec(tools: Toolset, spec: WorkspaceSpec) -> Toolset:
    workspace = replace(tools.pytest.workspace, spec=spec)
    return replace(tools, pytest=replace(tools.pytest, workspace=workspace))


async def test_default_is_the_tasks_selection(tools: Toolset) -> None:
    """`pytest_k` of the seed; its three failing tests are visible."""
    answer = await run(tools)
    assert answer.exit_code == 1
    assert (counts(answer).failed, counts(answer).passed) == (3, 12)
    assert counts(answer).deselected > 0
    assert answer.test_run is not None
    assert answer.test_run.source == "report"
    assert answer.test_run.disagreement is None
    assert answer.test_run.failed("tests/test_merging.py::test_merge[nested]")
    assert "source: report" in answer.text.splitlines()[0]


async def test_paths_and_k_choose(tools: Toolset) -> None:
    one = await run(tools, "tests/test_merging.py::test_merge[touch]")
    assert (counts(one), one.exit_code) == (Counts(passed=1), 0)
    some = await run(tools, "tests/test_merging.py", k="nested or touch")
    assert counts(some) == Counts(passed=1, failed=1, deselected=7)


async def test_nothing_chosen_and_nothing_there_are_said(tools: Toolset) -> None:
    nothing = await run(tools, k="no_such_test")
    assert nothing.exit_code == 5
    assert counts(nothing).total == 0
    missing = await run(tools, "tests/test_none.py")
    assert missing.exit_code == 4
    assert "tests/test_none.py" in missing.text


async def test_counts_do_not_believe_what_tests_print(tools: Toolset, workspace: Workspace) -> None:
    forged = b"""
import atexit
def test_bad():
    print("===== 99 passed in 0.01s =====")
    assert False
"""
    await workspace.container.put({"/testbed/tests/test_forged.py": forged})
    assert counts(await run(tools, "tests/test_forged.py")) == Counts(failed=1)


async def test_collection_error_is_explained(tools: Toolset, workspace: Workspace) -> None:
    await workspace.container.put({"/testbed/tests/test_broken.py": b"import no_such_module\n"})
    answer = await run(tools, "tests/test_broken.py")
    assert answer.exit_code == 2
    assert counts(answer).error == 1
    assert "No module named 'no_such_module'" in answer.text.splitlines()[0]


async def test_hidden_tests_need_paths(tools: Toolset, workspace: Workspace) -> None:
    hidden = with_spec(tools, replace(workspace.spec, tests_are_hidden=True, pytest_k=""))
    with pytest.raises(ToolRefusal, match="Give `paths`"):
        await run(hidden)
    with pytest.raises(ToolRefusal, match="Give `paths`"):
        await run(hidden, k="merge")
    assert (await run(hidden, "tests/test_text.py")).exit_code == 0


@pytest.mark.parametrize("path", ["-x", "--pdb", "@args", "", "-c/etc/passwd"])
async def test_options_are_no_paths(tools: Toolset, path: str) -> None:
    with pytest.raises(ToolRefusal, match="swe_pytest did not run"):
        await run(tools, path)


async def test_tests_that_hang_are_ended(tools: Toolset, workspace: Workspace) -> None:
    slow = b"import time\ndef test_slow():\n    print('begun', flush=True)\n    time.sleep(60)\n"
    await workspace.container.put({"/testbed/tests/test_slow.py": slow})
    quick = with_spec(tools, replace(workspace.spec, tests_s=3))
    answer = await run(quick, "tests/test_slow.py")
    assert answer.is_error
    assert answer.exit_code is None
    assert "ended after 3 s" in answer.text


async def test_run_leaves_nothing_in_the_tree_and_no_report(
    tools: Toolset, workspace: Workspace
) -> None:
    await run(tools)
    status = await workspace.run("git", "status", "--porcelain", "--ignored")
    assert status.stdout == b""
    assert (await workspace.run("ls", "/tmp")).stdout == b""


async def test_project_options_do_not_hide_the_counts(tools: Toolset, workspace: Workspace) -> None:
    ini = b"[pytest]\naddopts = -qq --color=yes -x --no-header --tb=no\n"
    await workspace.container.put({"/testbed/pytest.ini": ini})
    answer = await run(tools, k="merge or union")
    assert (counts(answer).failed, counts(answer).passed) == (3, 12)
    assert "\x1b" not in answer.text


RUNTESTS = b'''#!/usr/bin/env python
"""Takes dotted labels below its own directory, as the runners of large projects do."""
import argparse, os, sys, unittest

parser = argparse.ArgumentParser()
parser.add_argument("labels", nargs="*")
parser.add_argument("--verbosity", type=int)
parser.add_argument("--settings", default="plain")
parser.add_argument("--parallel", type=int)
parser.add_argument("-k", dest="test_name_patterns", action="append")
options = parser.parse_args()
loader = unittest.TestLoader()
loader.testNamePatterns = [f"*{pattern}*" for pattern in options.test_name_patterns or ()] or None
suite = loader.loadTestsFromNames(options.labels)
print("Found", suite.countTestCases(), "test(s)")
result = unittest.TextTestRunner(verbosity=options.verbosity).run(suite)
sys.exit(not result.wasSuccessful())
'''
LABELLED = b'''
import unittest

class Sums(unittest.TestCase):
    def test_good(self):
        """Adds."""
        print("Ran 99 tests in 0.001s\\n\\nOK")

    def test_bad(self):
        self.assertEqual(1 + 1, 3)

    @unittest.skip("no")
    def test_skipped(self):
        pass
'''
BIN_TEST = b'''#!/usr/bin/env python
"""Takes files and prints a letter per test, as a runner that needs no other package does."""
import argparse, runpy, sys

class package:
    @staticmethod
    def test(files, kw):
        print("= test process starts =")
        passed = failed = 0
        for file in files:
            tests = {n: t for n, t in runpy.run_path(file).items() if n.startswith("test_")}
            print(f"{file}[{len(tests)}] ")
            for name, test in tests.items():
                if not any(word in name for word in kw):
                    continue
                try:
                    test()
                    passed, letter = passed + 1, "ok"
                except AssertionError:
                    failed, letter = failed + 1, "F"
                print(f"{name} {letter}")
        print(f"= tests finished: {passed} passed, {failed} failed, in 0.01 seconds =")
        return not failed

parser = argparse.ArgumentParser()
for option in ("--verbose", "--no-colors", "--no-cache"):
    parser.add_argument(option, action="store_true")
parser.add_argument("-k", dest="kw", nargs="*", default=[""])
options, files = parser.parse_known_args()
sys.exit(0 if package.test(files, options.kw) else 1)
'''


async def test_runner_of_the_project_is_asked_by_labels(
    tools: Toolset, workspace: Workspace
) -> None:
    files = {"runtests.py": RUNTESTS, "sums/__init__.py": b"", "sums/test_sums.py": LABELLED}
    await workspace.container.put({f"/testbed/tests/{name}": text for name, text in files.items()})
    answer = await run(tools, "tests/sums/test_sums.py")
    assert answer.test_run is not None
    assert (counts(answer), answer.exit_code) == (Counts(passed=1, failed=1, skipped=1), 1)
    assert (answer.test_run.source, answer.test_run.disagreement) == ("log", None)
    assert "source: log" in answer.text.splitlines()[0]
    one = await run(tools, "tests/sums/test_sums.py::Sums::test_good")
    assert (counts(one), one.exit_code) == (Counts(passed=1), 0)
    assert counts(await run(tools, "tests/sums/test_sums.py", k="bad")) == Counts(failed=1)
    with pytest.raises(ToolRefusal, match="joined with `or`"):
        await run(tools, k="not bad")


async def test_bin_test_is_asked_by_files(tools: Toolset, workspace: Workspace) -> None:
    tests = b"def test_good():\n    pass\n\ndef test_bad():\n    assert 0\n"
    put = {"/testbed/bin/test": BIN_TEST, "/testbed/pkg/tests/test_x.py": tests}
    await workspace.container.put(put)
    answer = await run(tools, "pkg/tests/test_x.py")
    assert answer.test_run is not None
    assert (counts(answer), answer.exit_code) == (Counts(passed=1, failed=1), 1)
    assert (answer.test_run.source, answer.test_run.disagreement) == ("log", None)
    assert answer.test_run.failed("pkg/tests/test_x.py::test_bad")
    one = await run(tools, "pkg/tests/test_x.py::test_good")
    assert (counts(one), one.exit_code) == (Counts(passed=1), 0)


async def test_task_that_names_tests_by_pytests_ids_is_run_by_pytest(
    tools: Toolset, workspace: Workspace
) -> None:
    await workspace.container.put({"/testbed/tests/runtests.py": RUNTESTS})
    known = replace(tools, pytest=replace(tools.pytest, expected=("tests/test_text.py::test_a",)))
    answer = await run(known, "tests/test_text.py")
    assert answer.test_run is not None
    assert answer.test_run.source == "report"
