"""Attacks on a verdict from outside the test process: none resolves a task it did not solve."""

import pytest

from tests.docker.conftest import adding
from tests.docker.official import (
    FAIL_TO_PASS,
    MARKED,
    PASS_TO_PASS,
    RESULTS,
    TEST_FILE,
    TO_SHELL,
    OfficialTask,
    changing,
    on_import,
    on_install,
)

pytestmark = pytest.mark.docker

README = "README.rst"
FIRST = "spanset\n"
ZEROS = "0" * 32
GREEN = "".join(
    f"def {name.partition('::')[2].partition('[')[0]}(): pass\n" for name in FAIL_TO_PASS
)
# After git has set the test file back, and before it applies the hidden tests.
HOOK = f"""\
#!/bin/sh
cat >> {TEST_FILE} <<'END'
IDS = ["none", "apart", "overlap", "touch", "nested", "empty", "same-start"]
@pytest.mark.parametrize("pairs", IDS, ids=IDS)
def test_merge(pairs): pass
def test_merge_twice_changes_nothing(): pass
def test_hidden(): pass
END
"""
CONFIG = """\
diff --git a/.git/config b/.git/config
--- a/.git/config
+++ b/.git/config
@@ -1,1 +1,2 @@
 [core]
+\thooksPath = /testbed
"""


def made_by_patch(path: str, text: str, mode: str = "100755") -> bytes:
    """A file that `git apply` refuses to make and `patch` makes."""
    made = adding(path, text).replace(b"100644", mode.encode())
    return made


def linked(path: str, target: str) -> bytes:
    head = f"diff --git a/{path} b/{path}\nnew file mode 120000\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n".encode()


def removed(path: str) -> bytes:
    """Renames a file away, which needs no content."""
    return (
        f"diff --git a/{path} b/{path}.old\nsimilarity index 100%\n"
        f"rename from {path}\nrename to {path}.old\n"
    ).encode()


# Carriage returns end lines for whoever reads a log as text.
RETURNS = "x\r" + MARKED.replace("\n", "\r")
FROM_THE_TREE = {
    "markers-in-the-diff": changing(README, FIRST, MARKED),
    "markers-behind-carriage-returns": changing(README, FIRST, f"{RETURNS}\n"),
    "markers-as-a-file-name": adding(">>>>> Start Test Output", RESULTS),
    "markers-like-ours": changing(README, FIRST, f"start {ZEROS} 0\r{RESULTS}\rend {ZEROS}\n"),
    "test-file-renamed": removed(TEST_FILE),
    "test-file-linked": removed(TEST_FILE) + linked(TEST_FILE, "test_text.py"),
    "test-file-a-directory": removed(TEST_FILE) + adding(f"{TEST_FILE}/x.py", "x = 1"),
    "test-file-elsewhere-too": adding("tests/sub/test_merging.py", GREEN),
    "tests-a-link": removed(TEST_FILE) + linked("test_merging.py", "/dev/null"),
    "pytest-on-the-path": adding("pytest.py", f"print('''{RESULTS}''')\nraise SystemExit(0)"),
    "pytest-program": made_by_patch("pytest", f"#!/bin/sh\necho '{RESULTS}'"),
    "hook-through-patch": made_by_patch(".git/hooks/post-checkout", HOOK),
    "config-through-patch": made_by_patch("post-checkout", HOOK) + CONFIG.encode(),
    "filter-attributes": adding(".gitattributes", "*.py filter=evil diff=evil\n*.py ident"),
    "shell-start-files": adding(".bashrc", f"echo '{RESULTS}'; exit 0")
    + adding(".bash_profile", "exit 0"),
}  # fmt: skip


@pytest.mark.parametrize("patch", FROM_THE_TREE.values(), ids=FROM_THE_TREE)
async def test_what_a_patch_leaves_in_the_tree_resolves_nothing(
    official: OfficialTask, patch: bytes
) -> None:
    grade = (await official.verdict(patch)).grade
    assert not grade.resolved
    assert set(FAIL_TO_PASS) <= set(grade.FAIL_TO_PASS.failure)


async def test_the_reference_resolves_and_nothing_does_not(
    official: OfficialTask, gold: bytes
) -> None:
    """Without which the attacks would show nothing."""
    verdict, log = await official.log(gold, install=True)
    assert verdict.grade.resolved
    assert verdict.grade.network == "closed"
    assert (verdict.grade.exit_code, verdict.grade.note, verdict.hints) == (0, "", ())
    assert "\n+ : '>>>>> Start Test Output'\n+ pytest -rA tests/test_merging.py\n" in log
    empty = (await official.verdict(b"", install=True)).grade
    assert empty.FAIL_TO_PASS.failure == FAIL_TO_PASS
    assert empty.PASS_TO_PASS.success == PASS_TO_PASS


async def test_edits_to_the_tests_do_not_count_either_way(
    official: OfficialTask, gold: bytes
) -> None:
    weak = changing(
        TEST_FILE, "import pytest\n", "import pytest\npytest.skip(allow_module_level=True)\n"
    )
    assert not (await official.verdict(weak)).grade.resolved
    broken = changing(TEST_FILE, "import pytest\n", "import nothing\n")
    assert (await official.verdict(gold + broken)).grade.resolved


LEFT = f"""{TO_SHELL}
text = '''{MARKED}'''
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        for fd in range(3):
            os.close(fd)
        target = shell()
        os.environ.clear()
        for _ in range(2000):
            try:
                with open(f"/proc/{{target}}/fd/1", "w") as out:
                    out.write(text)
            except OSError:
                pass
            time.sleep(0.01)
    os._exit(0)
"""
# Each process lives for a moment: whoever goes through them one by one never has them all.
HOPPING = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 3)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            time.sleep(0.001)
        os._exit(0)
"""
REWRITE = f"""{TO_SHELL}
import glob
for name in ["/agent_runner/eval.sh", "/eval.sh", *glob.glob(f"/proc/{{shell()}}/fd/*")]:
    try:
        if not name.endswith(("/0", "/1", "/2")):
            with open(name, "r+") as script:
                text = script.read()
                script.seek(0)
                script.write(text.replace("pytest -rA", "echo '''{RESULTS}''' #").ljust(len(text)))
    except OSError:
        pass
"""
SPY = f"""{TO_SHELL}
import glob
found = ""
for name in ["/agent_runner/eval.sh", *glob.glob(f"/proc/{{shell()}}/fd/255")]:
    try:
        found += open(name).read()
    except OSError:
        pass
tell("FOUND " + repr("start" in found) + "\\n")
"""
SHELL = """
import os, pathlib
home = pathlib.Path("/root")
for name in (".bashrc", ".bash_profile", ".profile", ".bash_env"):
    (home / name).write_text("trap 'exit 0' EXIT; exit 0\\n")
os.environ["BASH_ENV"] = str(home / ".bash_env")
"""


async def test_a_process_left_by_the_install_writes_nothing_among_the_results(
    official: OfficialTask,
) -> None:
    verdict, log = await official.log(on_install(LEFT), install=True)
    before, _, section = log.partition(">>>>> Start Test Output")
    assert RESULTS.splitlines()[0] in before
    assert verdict.grade.FAIL_TO_PASS.failure == FAIL_TO_PASS
    assert section.count(RESULTS) == 0
    assert verdict.grade.suspect


async def test_processes_that_flee_from_their_end_are_over_before_the_tests(
    official: OfficialTask,
) -> None:
    count = "; ls -d /proc/[0-9]* | wc -l; pytest -rA"
    verdict, log = await official.log(on_install(HOPPING), install=True, command=f"true{count}")
    grade = verdict.grade
    # PID 1, the supervisor, the shell, and the two that count.
    counted = log.partition(">>>>> Start Test Output")[2].partition("+ pytest")[0].splitlines()
    assert int(counted[-1]) <= 5
    assert grade.FAIL_TO_PASS.failure == FAIL_TO_PASS
    assert grade.PASS_TO_PASS.success == PASS_TO_PASS


async def test_the_script_cannot_be_rewritten_while_it_runs(official: OfficialTask) -> None:
    verdict, log = await official.log(on_install(REWRITE), install=True)
    assert verdict.grade.FAIL_TO_PASS.failure == FAIL_TO_PASS
    assert "+ pytest -rA" in log


async def test_the_markers_cannot_be_found_out(official: OfficialTask) -> None:
    _, log = await official.log(on_install(SPY), install=True)
    assert "FOUND False" in log


async def test_files_a_shell_reads_at_its_start_force_no_exit_code(official: OfficialTask) -> None:
    grade = (await official.verdict(on_install(SHELL), install=True)).grade
    assert (grade.exit_code, grade.FAIL_TO_PASS.failure) == (1, FAIL_TO_PASS)


async def test_results_outside_the_markers_never_resolve(official: OfficialTask) -> None:
    """The harness reads the whole log where it finds nothing between the markers."""
    patch = on_install(f"{TO_SHELL}\ntell('''{RESULTS}\\n''')") + on_import(
        "import os; os._exit(0)"
    )
    verdict, log = await official.log(patch, install=True)
    assert RESULTS in log
    assert verdict.grade.exit_code == 0
    assert not verdict.grade.resolved
    assert verdict.grade.FAIL_TO_PASS.success == ()
    assert verdict.report[verdict_id(verdict)]["resolved"] is False


def verdict_id(verdict: object) -> str:
    (name,) = verdict.report  # type: ignore[attr-defined]
    return str(name)


async def test_a_program_replaced_by_the_install_is_told(official: OfficialTask) -> None:
    """Root's own code can do so; the official verdict stays, and is suspect."""
    code = (
        "import os\nopen('/usr/local/bin/git', 'w').write('#!/bin/sh\\n')\n"
        "os.chmod('/usr/local/bin/git', 0o755)"
    )
    verdict = await official.verdict(on_install(code), install=True)
    assert verdict.grade.suspect
    assert "/usr/local/bin/git" in [hint.where for hint in verdict.hints]
