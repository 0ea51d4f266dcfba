"""The runs of the corpus: which project, in which environment, asked for what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.corpora.runs.projects import plugins, printed, runners, single_tests, small
from tools.testruns.runner import Runner


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        environment: a name in `ENVIRONMENTS`.
        files: the project, by path.
        argv: a command of its own; empty for the one that `swe_pytest` starts.
        limit_s: its time limit, after which all it started is ended.
    """

    environment: str
    files: Mapping[str, str | bytes]
    paths: tuple[str, ...] = ()
    k: str = ""
    runner: Runner = Runner.PYTEST
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 120


PYTESTS = (
    "pytest3.10", "pytest4.6-py2.7", "pytest4.6", "pytest5.4", "pytest6.2", "pytest7.4",
    "pytest8.3", "pytest8.4", "pytest9",
)  # fmt: skip


def ini(options: str, **more: str) -> dict[str, str]:
    """A pytest.ini."""
    lines = [f"addopts = {options}", *(f"{key} = {value}" for key, value in more.items())]
    return {"pytest.ini": "\n".join(["[pytest]", *lines, ""])}


def _unittest(version: str, files: Mapping[str, str], *arguments: str) -> Run:
    argv = ("python", "-m", "unittest", *arguments)
    return Run(f"unittest{version}", files, runner=Runner.UNITTEST, argv=argv)


def _runtests(version: str, *paths: str, k: str = "") -> Run:
    # The project is laid out, not installed.
    env = {"PYTHONPATH": "/tmp/run/testbed"}
    return Run(f"runtests{version}", runners.LABELS, paths, k, Runner.RUNTESTS, env=env)


def _bin_test(version: str, *paths: str, k: str = "") -> Run:
    return Run(f"bintest{version}", runners.BIN_TEST, paths, k, Runner.BIN_TEST)


MIXED, TWO = small.MIXED, small.TWO

RUNS = {
    **{f"mixed-{name}": Run(name, MIXED) for name in PYTESTS},
    "mixed-xdist-pytest4.6": Run("pytest4.6", MIXED | ini("-n2")),
    "mixed-xdist-pytest6.2": Run("pytest6.2", MIXED | ini("-n2 -q --color=yes")),
    "mixed-xdist-pytest9": Run("pytest9-xdist", MIXED | ini("-n2 --dist=loadfile")),
    # Options of the project's own, in every file that pytest reads them from.
    "config-pytest-ini": Run("pytest8.4", TWO | ini("-qq --color=yes -x")),
    "config-tox-ini": Run("pytest6.2", TWO | {"tox.ini": "[pytest]\naddopts = -q -x\n"}),
    "config-setup-cfg": Run(
        "pytest5.4", TWO | {"setup.cfg": "[tool:pytest]\naddopts = -rN --tb=no --maxfail=1\n"}
    ),
    "config-pyproject": Run(
        "pytest7.4",
        TWO | {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q --no-summary'\n"},
    ),
    "config-pytest-toml": Run(
        "pytest9", TWO | {"pytest.toml": "[pytest]\naddopts = ['-vv', '--color=yes', '-x']\n"}
    ),
    "config-report-elsewhere": Run(
        "pytest9", TWO | ini("--junitxml=own.xml", junit_family="xunit2", junit_logging="all")
    ),
    "colours-by-environment": Run("pytest8.4", MIXED, env={"FORCE_COLOR": "1"}),
    "no-terminal": Run("pytest9", TWO | ini("-p no:terminal")),
    "no-terminal-pytest6.2": Run("pytest6.2", TWO | ini("-p no:terminal")),
    "no-junit": Run("pytest9", TWO | ini("-p no:junitxml -qq --color=yes")),
    "no-junit-pytest4.6": Run("pytest4.6", TWO | ini("-p no:junitxml -q")),
    "no-junit-pytest3.10": Run("pytest3.10", MIXED | ini("-p no:junitxml")),
    "no-junit-mixed": Run("pytest8.3", MIXED | ini("-p no:junitxml")),
    # The interpreter ends.
    "leaves-0": Run("pytest9", small.leaving("import os; os._exit(0)")),
    "leaves-3": Run("pytest7.4", small.leaving("import os; os._exit(3)")),
    "segfault": Run("pytest8.4", small.leaving("import ctypes; ctypes.string_at(0)")),
    "segfault-pytest4.6": Run("pytest4.6", small.leaving("import ctypes; ctypes.string_at(0)")),
    "killed": Run("pytest9", small.leaving("import os; os.kill(os.getpid(), 9)")),
    "aborted": Run("pytest6.2", small.leaving("import os; os.abort()")),
    "terminated": Run("pytest9", small.leaving("import os; os.kill(os.getpid(), 15)")),
    "segfault-xdist": Run(
        "pytest9-xdist", small.leaving("import ctypes; ctypes.string_at(0)") | ini("-n2")
    ),
    "killed-xdist": Run(
        "pytest8.3", small.leaving("import os; os.kill(os.getpid(), 9)") | ini("-n2")
    ),
    "leaves-0-xdist": Run("pytest4.6", small.leaving("import os; os._exit(0)") | ini("-n2")),
    "exits": Run("pytest9", small.leaving("import sys; sys.exit(0)")),
    "exits-at-import": Run("pytest9", TWO | {"test_exit.py": "import sys\nsys.exit(0)\n"}),
    "pytest-exit": Run("pytest8.4", small.leaving("import pytest; pytest.exit('enough')")),
    "pytest-exit-0": Run(
        "pytest9", small.leaving("import pytest; pytest.exit('enough', returncode=0)")
    ),
    "interrupted": Run("pytest9", small.leaving("raise KeyboardInterrupt")),
    "interrupted-pytest3.10": Run("pytest3.10", small.leaving("raise KeyboardInterrupt")),
    "hangs": Run("pytest8.4", small.leaving("import time; time.sleep(99)"), limit_s=4),
    "session-stopped": Run("pytest9", TWO | small.STOPPED),
    # Nothing could be collected, or nothing was chosen.
    "broken-import": Run("pytest9", TWO | small.BROKEN),
    "broken-import-pytest4.6": Run("pytest4.6", TWO | small.BROKEN),
    "broken-import-pytest3.10": Run("pytest3.10", TWO | small.BROKEN),
    "broken-import-xdist": Run("pytest8.3", TWO | small.BROKEN | ini("-n2")),
    "broken-syntax": Run("pytest8.4", TWO | {"test_b.py": "def test_x(:\n"}),
    "broken-two-continued": Run(
        "pytest7.4",
        TWO | small.BROKEN | {"test_c.py": "1 / 0\n"} | ini("--continue-on-collection-errors"),
    ),
    "broken-conftest": Run("pytest9", TWO | {"conftest.py": "import nothing_here\n"}),
    "broken-conftest-pytest3.10": Run("pytest3.10", TWO | {"conftest.py": "import nothing_here\n"}),
    "broken-hook": Run("pytest8.4", TWO | small.BROKEN_HOOK),
    "same-name-twice": Run("pytest6.2", small.SAME_NAME),
    "missing-file": Run("pytest9", TWO, ("tests/gone.py",)),
    "missing-test": Run("pytest6.2", TWO, ("test_two.py::test_gone",)),
    "missing-test-pytest4.6": Run("pytest4.6", TWO, ("test_two.py::test_gone",)),
    "missing-option": Run("pytest9", TWO | ini("--cov=here")),
    "missing-option-pytest3.10": Run("pytest3.10", TWO | ini("--cov=here")),
    "missing-plugin": Run("pytest7.4", TWO | ini("-p nothing_here")),
    "missing-version": Run("pytest9", TWO | ini("", minversion="99")),
    "nothing-there": Run("pytest9", {"pkg/__init__.py": ""}),
    "nothing-there-pytest3.10": Run("pytest3.10", {"pkg/__init__.py": ""}),
    "nothing-in-file": Run("pytest8.4", {"test_none.py": "x = 1\n"}, ("test_none.py",)),
    "deselected-all": Run("pytest5.4", TWO, k="nothing_so"),
    "deselected-by-options": Run("pytest9", TWO | ini("-m slow", markers="slow")),
    "deselected-some": Run("pytest7.4", TWO, k="good or nothing"),
    "deselected-q": Run("pytest9", TWO | ini("-q"), ("test_two.py",), "test_g"),
    "chosen-by-id": Run("pytest8.3", MIXED, ("tests/test_mixed.py::test_param[a - b]",)),
    "skipped-all": Run("pytest9", single_tests.SKIPPED),
    "skipped-all-pytest3.10": Run("pytest3.10", single_tests.SKIPPED),
    # How single tests end.
    "xfail-strict-by-option": Run("pytest6.2", single_tests.XFAILS | ini("", xfail_strict="true")),
    "xfail": Run("pytest9", single_tests.XFAILS),
    "xfail-pytest4.6": Run("pytest4.6", single_tests.XFAILS),
    "fixtures": Run("pytest9", single_tests.FIXTURES),
    "fixtures-pytest3.10": Run("pytest3.10", single_tests.FIXTURES),
    "fixtures-pytest4.6": Run("pytest4.6", single_tests.FIXTURES),
    "fixtures-xdist": Run("pytest6.2", single_tests.FIXTURES | ini("-n2")),
    "unittest-classes": Run("pytest8.4", runners.UNITTEST),
    "unittest-classes-pytest3.10": Run("pytest3.10", runners.UNITTEST),
    "unittest-classes-pytest9": Run("pytest9", runners.UNITTEST),
    "classes": Run("pytest9", single_tests.CLASSES),
    "classes-pytest5.4": Run("pytest5.4", single_tests.CLASSES),
    "doctests": Run(
        "pytest9", single_tests.DOCTESTS | ini("--doctest-modules --doctest-glob=*.rst")
    ),
    "doctests-pytest4.6": Run(
        "pytest4.6", single_tests.DOCTESTS | ini("--doctest-modules --doctest-glob=*.rst")
    ),
    "warnings-are-errors": Run("pytest9", plugins.WARNING | ini("", filterwarnings="error")),
    "warnings-are-errors-pytest4.6": Run("pytest4.6", plugins.WARNING | ini("-W error")),
    "warnings": Run("pytest8.4", plugins.WARNING),
    "subtests": Run("pytest9", plugins.SUBTESTS),
    "subtests-plugin": Run("pytest7.4-subtests", plugins.SUBTESTS),
    "ids": Run("pytest9", single_tests.IDS),
    "ids-pytest6.2": Run("pytest6.2", single_tests.IDS),
    "ids-pytest3.10": Run("pytest3.10", single_tests.IDS),
    "ids-no-junit": Run("pytest8.4", single_tests.IDS | ini("-p no:junitxml")),
    # What is printed is no result.
    "forged-by-conftest": Run("pytest9", TWO | printed.FORGED_SUMMARY),
    "forged-by-conftest-pytest4.6": Run("pytest4.6", TWO | printed.FORGED_SUMMARY),
    "forged-at-exit": Run("pytest9", TWO | printed.FORGED_AT_EXIT),
    "forged-by-tests": Run("pytest8.4", printed.FORGED_IN_TEST | ini("-s")),
    "forged-exit-code": Run("pytest9", TWO | printed.FORGED_EXIT),
    "forged-report": Run("pytest8.3", TWO | printed.FORGED_REPORT),
    "forged-and-left": Run("pytest9", TWO | printed.FORGED_AND_LEFT),
    "bytes": Run("pytest9", printed.BYTES | ini("-s")),
    "closed-stdout": Run("pytest8.4", small.leaving("import os; os.close(1)")),
    "long-output": Run("pytest9", printed.LONG),
    # Plug-ins that print another summary or add to it.
    "sugar": Run("sugar", MIXED),
    "sugar-pytest6.2": Run("sugar0.9", MIXED),
    "sugar-no-junit": Run("sugar", TWO | ini("-p no:junitxml")),
    "rich": Run("rich", MIXED | ini("--rich")),
    "pretty": Run("pretty", MIXED),
    "randomly": Run("randomly", MIXED),
    "rerun": Run("rerun", plugins.FLAKY | ini("--reruns=2")),
    "timeout-signal": Run(
        "timeout", small.leaving("import time; time.sleep(99)") | ini("--timeout=1")
    ),
    "timeout-thread": Run(
        "timeout",
        small.leaving("import time; time.sleep(99)") | ini("--timeout=1 --timeout-method=thread"),
    ),
    "cov": Run("cov", TWO | {"lib.py": "x = 1\n"} | ini("--cov=lib --cov-report=term")),
    "cov-fail-under": Run(
        "cov", plugins.COVERED | ini("--cov=lib --cov-fail-under=100", testpaths=".")
    ),
    "asyncio": Run("asyncio", plugins.ASYNC | ini("", asyncio_mode="auto")),
    "instafail": Run("instafail", MIXED | ini("--instafail")),
    # Other runners.
    "unittest-py2.7": _unittest("2.7", runners.UNITTEST_OLD, "discover", "-v"),
    "unittest-py3.6": _unittest("3.6", runners.UNITTEST, "-v"),
    "unittest-py3.11": _unittest("3.11", runners.UNITTEST, "-v"),
    "unittest-py3.12": _unittest("3.12", runners.UNITTEST, "-v"),
    "unittest-py3.13": _unittest("3.13", runners.UNITTEST, "-v"),
    "unittest-dots-py3.6": _unittest("3.6", runners.UNITTEST),
    "unittest-dots": _unittest("3.11", runners.UNITTEST),
    "unittest-buffered": _unittest("3.13", runners.UNITTEST, "-v", "-b"),
    "unittest-good": _unittest("3.11", runners.UNITTEST, "-v", "test_unit.Good"),
    "unittest-nothing": _unittest("3.13", {"lib.py": ""}, "-v"),
    "unittest-broken": _unittest("3.11", runners.UNITTEST | small.BROKEN, "-v"),
    "runtests-2.2": _runtests("2.2", "tests/zz_runs"),
    "runtests-4.2": _runtests("4.2", "tests/zz_runs"),
    "runtests-5.2": _runtests("5.2", "tests/zz_runs/tests.py"),
    "runtests-one": _runtests("4.2", "tests/zz_runs/tests.py::Ends::test_good"),
    "runtests-k": _runtests("4.2", "zz_runs", k="good or docstring"),
    "runtests-own": _runtests("4.2", "tests/utils_tests/test_encoding.py"),
    "runtests-own-2.2": _runtests("2.2", "tests/utils_tests/test_encoding.py"),
    "runtests-missing": _runtests("4.2", "tests/zz_gone"),
    "runtests-broken": _runtests("4.2", "tests/zz_broken"),
    "bin-test-1.4": _bin_test("1.4", "sympy/core/tests/test_zz_runs.py"),
    "bin-test-1.12": _bin_test("1.12", "sympy/core/tests/test_zz_runs.py"),
    "bin-test-one": _bin_test("1.12", "sympy/core/tests/test_zz_runs.py::test_good"),
    "bin-test-own": _bin_test("1.12", "sympy/core/tests/test_singleton.py"),
    "bin-test-broken": _bin_test("1.12", "sympy/core/tests/test_zz_broken.py"),
    "bin-test-nothing": _bin_test("1.12", "sympy/core/tests/test_zz_gone.py"),
}
