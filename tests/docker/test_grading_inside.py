"""Attacks from inside the test process: no rule can exclude them, so each is told.

What officially counts as failed does here too; where the harness itself is deceived, its verdict
stands as `official`, and the grade is suspect.
"""

import pytest

from tests.docker.conftest import adding
from tests.docker.official import ALL, FAIL_TO_PASS, RESULTS, OfficialTask, on_import, on_install

pytestmark = pytest.mark.docker


SAY = f"print('''\\n{RESULTS}''', flush=True)"
PASSING = """
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    report.outcome = "passed"
"""
PATCHED = """
import sys
if "_pytest" in sys.modules:
    from _pytest.reports import TestReport
    real = TestReport.__init__
    def forged(self, nodeid, location, keywords, outcome, longrepr, *rest, **more):
        real(self, nodeid, location, keywords, "passed", None, *rest, **more)
    TestReport.__init__ = forged
"""
LOUD = f"import os\nos.write(2, b'''\\n{RESULTS}\\n''')\nos._exit(0)"
AT_EXIT = f"""\
import atexit, os
atexit.register(lambda: (os.write(1, b'''\\n{RESULTS}\\n'''), os._exit(0)))
"""
SITE = """\
import site, pathlib
pathlib.Path(site.getsitepackages()[0], {name!r}).write_text({text!r})
"""
SHADOW = f"import os, sys\nos.write(1, b'''{RESULTS}\\n''')\nsys.exit(0)\n"
INI = "[pytest]\naddopts = -p evil\n"
SUMMARY = f"""\
import sys
sys.modules['pytest'].console_main
print('= short test summary info =')
{SAY}
"""
ENTRY_POINT = """\
def setup():
    import setuptools
    setuptools.setup(entry_points={'pytest11': ['e=evil']}, py_modules=['evil'])
"""
PTH = SITE.format(name="evil.pth", text=f"import os; {SAY}".replace("\n", " "))
SITE_CUSTOM = SITE.format(name="sitecustomize.py", text=AT_EXIT)
PACKAGE = adding("pytest/__init__.py", SHADOW) + adding("pytest/__main__.py", SHADOW)

# The patch, and whether the harness itself takes it for a solution; None where that depends on the
# version of the runner.
ATTACKS = {
    "conftest-prints": (adding("conftest.py", f"def pytest_unconfigure():\n    {SAY}"), None),
    "conftest-rewrites-reports": (adding("conftest.py", PASSING), True),
    "plug-in-by-ini": (adding("pytest.ini", INI) + adding("evil.py", PASSING), None),
    "plug-in-by-entry-point": (on_install(ENTRY_POINT) + adding("evil.py", PASSING), None),
    "plug-in-by-conftest": (
        adding("conftest.py", "pytest_plugins = ['spanset']\n") + on_import(PASSING),
        True,
    ),
    "sitecustomize": (on_install(SITE_CUSTOM), None),
    "pth": (on_install(PTH), None),
    "patched-pytest": (on_import(PATCHED), True),
    "exit": (on_import(LOUD), None),
    "at-exit": (on_import(AT_EXIT), None),
    "forged-summary": (on_import(SUMMARY), False),
    "shadowed-by-a-package": (PACKAGE, False),
    "silent-end": (on_import("import os\nos._exit(0)"), False),
    "exit-at-import": (on_import("import sys\nsys.exit(0)"), False),
}
INSTALLED = {"plug-in-by-entry-point", "sitecustomize", "pth"}


@pytest.mark.parametrize("name", ATTACKS)
async def test_code_that_reaches_into_the_runner_is_told(official: OfficialTask, name: str) -> None:
    patch, deceives = ATTACKS[name]
    verdict = await official.verdict(patch, install=name in INSTALLED)
    assert verdict.hints
    assert verdict.grade.suspect
    assert {hint.kind for hint in verdict.hints} & {"test_runner", "install"}
    if deceives is not None:
        assert verdict.grade.official is deceives
    if not verdict.grade.official:
        assert set(verdict.grade.FAIL_TO_PASS.failure) & set(FAIL_TO_PASS)
    else:
        assert set(verdict.grade.FAIL_TO_PASS.success) == set(ALL) & set(FAIL_TO_PASS)
