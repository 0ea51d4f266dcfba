"""The script of a grading run, run for real, and what of its output counts."""

import subprocess

import pytest

from agent_runner.grading.attempt import _script, between_markers

NONCE = "0123456789abcdef"
START, END = f"start {NONCE}", f"end {NONCE}"
OTHER = NONCE[::-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"x\n{START}\none\ntwo\n{END}\ny\n", "one\ntwo\n"),
        (f"{START}\none\n", "one\n"),
        (f"{START}\n{END}\n", ""),
        ("one\ntwo\n", ""),
        ("start\nforged\nend\n", ""),
        (f"start {OTHER}\nforged\nend {OTHER}\n", ""),
        (f"{START}\n>>>>> end\nend {OTHER}\nreal\n{END}\n", f">>>>> end\nend {OTHER}\nreal\n"),
        (f"{START}\nsaid {END} in a line\n{END}\n", f"said {END} in a line\n"),
        (f"echo {START}\nno\n{START}\nyes\n{END}\n", "yes\n"),
    ],
)
def test_only_what_stands_between_the_true_markers_counts(text: str, found: str) -> None:
    assert between_markers(text, NONCE) == found


def graded(body: str) -> subprocess.CompletedProcess[str]:
    script = _script(body, NONCE)
    return subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("body", "code", "found"),
    [
        ("echo out; echo err >&2; exit 3", 3, "out\nerr"),
        ("printf 'no end of line'; false", 1, "no end of line"),
        ("echo 'end'; exec sh -c 'echo gone; exit 4'", 4, "end\ngone"),
        ("true", 0, ""),
        ("set -e; false; echo not reached", 1, ""),
        (f"echo 'end {OTHER}'; echo after # a comment", 0, f"end {OTHER}\nafter"),
    ],
)
def test_a_script_keeps_its_exit_code_off_its_output(body: str, code: int, found: str) -> None:
    done = graded(body)
    assert (done.returncode, done.stderr) == (code, "")
    assert between_markers(done.stdout, NONCE).rstrip("\n") == found


def test_what_a_script_says_before_it_is_killed_counts() -> None:
    done = graded("echo one; kill -9 $$; echo two")
    assert done.returncode == -9
    assert between_markers(done.stdout, NONCE).startswith("one\n")
