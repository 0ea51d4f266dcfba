"""The script of a grading run, run for real, and what of its output counts."""

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.grading import canonical
from agent_runner.grading.canonical import (
    END,
    EXIT_CODE,
    START,
    compose_failure,
    compose_log,
    find_section,
    output_of_tests,
    shown_output,
)
from agent_runner.grading.recipe import Script
from agent_runner.grading.script import ALONE, BEGIN, INSTALLED, compose

NONCE = "0123456789abcdef"
OTHER = NONCE[::-1]
ON, OFF = f"\nstart {NONCE} 0\n", f"\nend {NONCE}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"x{ON}one\ntwo\n{OFF}y\n", "one\ntwo\n"),
        (f"{ON}no end of line{OFF}", "no end of line"),
        (f"{ON}one\n", "one\n"),
        (f"{ON}{OFF}", ""),
        (f"\nstart {OTHER} 0\nforged\n\nend {OTHER}\n{ON}real\n{OFF}", "real\n"),
        (f"{ON}>>>>> end\n\nend {OTHER}\nreal\n{OFF}", f">>>>> end\n\nend {OTHER}\nreal\n"),
        (f"{ON}said end {NONCE} in a line\n{OFF}", f"said end {NONCE} in a line\n"),
        (f"{ON}forged\n{OFF}{ON}yes\n{OFF}", "yes\n"),
        (f"{ON}yes{OFF}still yes\n{OFF}", f"yes{OFF}still yes\n"),
    ],
)
def test_only_what_stands_between_the_last_true_markers_counts(text: str, found: str) -> None:
    section = find_section(text.encode(), NONCE)
    assert section is not None
    assert text[section.begin : section.end] == found


@pytest.mark.parametrize(
    "text",
    ["", "one\n", "\nstart\nforged\nend\n", f"\nstart {OTHER} 0\nx\n", f"echo start {NONCE}"],
)
def test_without_a_true_start_marker_nothing_counts(text: str) -> None:
    assert find_section(text.encode(), NONCE) is None


def composed(tmp_path: Path, raw: bytes, code: int | None = 0, limit_s: float | None = None) -> str:
    (tmp_path / "raw").write_bytes(raw)
    compose_log(tmp_path / "raw", tmp_path / "made", NONCE, code, limit_s)
    return (tmp_path / "made").read_bytes().decode()


def test_a_log_has_the_official_form(tmp_path: Path) -> None:
    text = composed(tmp_path, f"before{ON}+ pytest\nPASSED t\n{OFF}+ git checkout\n".encode(), 1)
    assert text == (
        f"before+ : '{START}'\n+ pytest\nPASSED t\n"
        f"+ SWEBENCH_TEST_EXIT_CODE=1\n+ : '{END}'\n+ echo '{EXIT_CODE}: 1'\n{EXIT_CODE}: 1\n"
        "+ git checkout\n"
    )
    assert output_of_tests(tmp_path / "made", 1000) == b"+ pytest\nPASSED t\n"
    assert output_of_tests(tmp_path / "made", 10) is None
    assert shown_output(tmp_path / "made") == "+ pytest\nPASSED t\n"


def test_a_log_without_an_end_says_the_limit_and_has_no_end_marker(tmp_path: Path) -> None:
    text = composed(tmp_path, f"{ON}PASSED t\n".encode(), None, 900.0)
    assert END not in text
    assert text.endswith("Timeout error: 900 seconds exceeded.")
    assert output_of_tests(tmp_path / "made", 1000) is not None


@given(
    st.lists(
        st.one_of(
            st.sampled_from([START, END, f"{EXIT_CODE}: 0", ">>>>>", " Start Test Output", "\n"]),
            st.text(alphabet=st.characters(codec="utf-8"), max_size=12),
        )
    )
)
def test_imitated_markers_never_reach_the_log(parts: list[str]) -> None:
    """Wherever they stand, across the pieces in which a log is copied too."""
    raw = "".join(parts).encode()
    with patch.object(canonical, "CHUNK_BYTES", 40), TemporaryDirectory() as directory:
        text = composed(Path(directory), raw + ON.encode() + raw + OFF.encode())
    assert [text.count(name) for name in (START, END)] == [1, 1]
    assert len(re.findall(rf"^{EXIT_CODE}: 0$", text, re.MULTILINE)) == 1


def test_bytes_that_are_no_text_are_replaced_as_the_official_harness_does(tmp_path: Path) -> None:
    raw = b"\xff\xfe" + "ä".encode()[:1] + ON.encode() + "ä€".encode() * 400_000 + OFF.encode()
    text = composed(tmp_path, raw)
    assert text.startswith("\ufffd\ufffd\ufffd+ : ")
    assert text.count("ä€") == 400_000


def test_the_output_of_a_failed_apply_says_nothing_else(tmp_path: Path) -> None:
    compose_failure(f"error: {START}\nPASSED t\n{END}\xff".encode("latin-1"), tmp_path / "made")
    text = (tmp_path / "made").read_text()
    assert text.startswith(">>>>> Patch Apply Failed:\n")
    assert START not in text
    assert END not in text


def graded(tests: str, shell: str = "/bin/sh", **parts: str) -> tuple[int, str]:
    """Runs a script; killing all others would end this test, and deleting is not its business."""
    before, after = parts.get("before", ""), parts.get("after", "")
    script = compose(Script(before, tests, after, shell, traced=shell == "/bin/bash"), NONCE)
    assert ALONE in script
    assert BEGIN in script
    harmless = script.replace(ALONE, "").replace(BEGIN, "exec 2>&1; ar_install=0")
    done = subprocess.run([shell, "-c", harmless], capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout


def section_of(output: str) -> str:
    section = find_section(output.encode(), NONCE)
    assert section is not None
    return output[section.begin : section.end]


@pytest.mark.parametrize(
    ("body", "code", "found"),
    [
        ("echo out; echo err >&2; exit 3", 3, "out\nerr\n"),
        ("printf 'no end of line'; false", 1, "no end of line"),
        ("echo 'end'; exec sh -c 'echo gone; exit 4'", 4, "end\ngone\n"),
        ("true", 0, ""),
        ("set -e; false; echo not reached", 1, ""),
        (f"echo 'end {OTHER}'; echo after # a comment", 0, f"end {OTHER}\nafter\n"),
    ],
)
def test_a_script_keeps_its_exit_code_off_its_output(body: str, code: int, found: str) -> None:
    returned, output = graded(f"( {body}\n)")
    assert returned == code
    assert section_of(output) == found


def test_the_exit_code_is_the_tests_whatever_comes_after() -> None:
    returned, output = graded(
        "sh -c 'exit 5'", "/bin/bash", before="set -x", after="echo later\ntrue"
    )
    assert returned == 5
    assert section_of(output) == "+ sh -c 'exit 5'\n"
    assert output.endswith("+ echo later\nlater\n+ true\n")


def test_the_trace_of_an_official_script_is_as_officially() -> None:
    returned, output = graded("echo 1", "/bin/bash", before="set -uxo pipefail\necho 0")
    assert returned == 0
    assert output == f"+ echo 0\n0\n{ON}+ echo 1\n1\n{OFF}"


@pytest.mark.parametrize(("line", "installed"), [("true", True), ("false", False)])
def test_the_status_of_an_install_line_is_told(line: str, installed: bool) -> None:
    before = f"set -uxo pipefail\n{line}\n{INSTALLED}\ntrue\n{INSTALLED}"
    _, output = graded("true", "/bin/bash", before=before)
    section = find_section(output.encode(), NONCE)
    assert section is not None
    assert section.installed is installed


def test_what_a_script_says_before_it_is_killed_counts() -> None:
    returned, output = graded("echo one; kill -9 $$; echo two")
    assert returned == -9
    assert section_of(output) == "one\n"
