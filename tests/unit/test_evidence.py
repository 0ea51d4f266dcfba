"""Hints that a verdict may have been come by in another way than by solving the task."""

import pytest

from agent_runner.evidence import evidence, hints_in_turn
from agent_runner.grading.hints import hints_in_patch
from agent_runner.trajectory import CallLine, TurnLine, TurnUsage
from tools.workspace.isolation import Isolation, Network


def turn(command: str, tool: str = "docker_sh") -> TurnLine:
    call = CallLine(
        id="c", tool=tool, arguments={"command": command}, is_error=False, text="", handle=None,
        exit_code=0, duration_s=0.0,
    )  # fmt: skip
    return TurnLine(
        turn=4, content="", reasoning=None, finish_reason=None,
        usage=TurnUsage(prompt_tokens=None, completion_tokens=None, cached_tokens=None),
        attempts=(), repairs={}, calls=(call,), duration_s=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("git log --all --oneline", "history"),
        ("cd src && git --no-pager log -p --all", "history"),
        ("git -C /testbed -c core.pager=cat log -S needle", "history"),
        ("git reflog show --all", "history"),
        ("git fsck --lost-found", "history"),
        ("git show FETCH_HEAD", "history"),
        ("git branch --remotes", "history"),
        ("curl -s https://example.org/fix.patch", "network"),
        ("pip download spanset", "network"),
        ("git -C /tmp fetch origin", "network"),
        ("wget x || true", "network"),
    ],
)
def test_commands_that_look_for_the_fix_are_hints(command: str, kind: str) -> None:
    (hint,) = hints_in_turn(turn(command))
    assert (hint.kind, hint.turn) == (kind, 4)
    assert hint.where in command


@pytest.mark.parametrize(
    "command",
    [
        "git log --oneline -3",
        "git diff",
        "git status; ls --all",
        "git show HEAD",
        "git log | grep -- --all",
        "python -m pytest",
        "ls curls",
    ],
)
def test_ordinary_commands_are_none(command: str) -> None:
    assert hints_in_turn(turn(command)) == []


def test_only_what_was_run_counts() -> None:
    assert hints_in_turn(turn("git log --all", tool="swe_pytest")) == []


@pytest.mark.parametrize(
    ("patch", "where"),
    [
        (b"--- a/conftest.py\n+++ b/conftest.py\n@@", "conftest.py"),
        (b"--- /dev/null\n+++ b/tests/conftest.py\n@@", "tests/conftest.py"),
        (b"--- a/conftest.py\n+++ /dev/null\n@@", "conftest.py"),
        (b"rename from a.py\nrename to sitecustomize.py\n", "sitecustomize.py"),
        (b"rename from conftest.py\nrename to old.py\n", "conftest.py"),
        (b"--- /dev/null\r\n+++ b/x/evil.pth\r\n", "x/evil.pth"),
        (b'--- /dev/null\n+++ "b/t\\303\\251st/pytest.ini"\n', "t\\303\\251st/pytest.ini"),
        (b"--- /dev/null\n+++ b/my dir/tox.ini\t\n", "my dir/tox.ini"),
    ],
)
def test_a_patch_that_changes_how_tests_run_is_a_hint(patch: bytes, where: str) -> None:
    (hint,) = hints_in_patch(b"--- a/x.py\n+++ b/x.py\n" + patch)
    assert (hint.kind, hint.turn, hint.where) == ("test_runner", None, where)


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"--- a/src/x.py\n+++ b/src/x.py\n@@ -1 +1 @@\n-a\n+conftest.py\n",
        b"--- a/contest.py\n+++ b/contest.py\n",
        b"--- a/conftest.py.txt\n+++ b/conftest.py.txt\n",
    ],
)
def test_a_patch_of_other_files_is_none(patch: bytes) -> None:
    assert hints_in_patch(patch) == []


def test_what_the_reference_changes_too_is_expected() -> None:
    patch = b"--- a/conftest.py\n+++ b/conftest.py\n--- a/tox.ini\n+++ b/tox.ini\n"
    (hint,) = hints_in_patch(patch, reference=b"--- a/conftest.py\n+++ b/conftest.py\n")
    assert hint.where == "tox.ini"


def test_measurements_are_told_as_they_were_made() -> None:
    measured = Isolation(2, 7, ("/x/.git",), Network(dns=False, tcp=True, udp=False), True)
    told = evidence(measured, None, "agent", ())
    assert (told.commits_after_base, told.unreachable_objects) == (2, 7)
    assert told.foreign_git_stores == ("/x/.git",)
    assert told.network is not None
    assert (told.network.dns, told.network.tcp, told.network.udp) == ("closed", "open", "closed")
    assert told.hidden_tests_present is True
    assert told.fresh_grader is None
