"""`python -m tools.patching DIR DIFF` on real directories."""

import json
from pathlib import Path

import pytest

from tools.patching.__main__ import main

CHANGE = "--- a/d/f\n+++ b/d/f\n@@ -1 +1 @@\n-x\n+y\n"
NEW = "--- /dev/null\n+++ b/n/deep/g\n@@ -0,0 +1 @@\n+g\n"
GONE = "--- a/old/h\n+++ /dev/null\n@@ -1 +0,0 @@\n-h\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, data in (("d/f", "x\n"), ("old/h", "h\n")):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(data, encoding="utf-8")
    (root / "d/f").chmod(0o750)
    return root


def run(
    project: Path, patch: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, object]]:
    diff = project.parent / "diff"
    diff.write_text(patch, encoding="utf-8")
    code = main([str(project), str(diff)])
    return code, json.loads(capsys.readouterr().out)


def content(root: Path) -> dict[str, str]:
    return {
        str(place.relative_to(root)): place.read_text("utf-8") if place.is_file() else "directory"
        for place in root.rglob("*")
    }


def test_patch_is_applied_whole_and_modes_are_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = run(project, CHANGE + NEW + GONE, capsys)
    assert code == 0
    assert report == {
        "applied": True,
        "files": ["d/f", "n/deep/g", "old/h"],
        "how": {"d/f": "exact", "n/deep/g": "exact", "old/h": "exact"},
        "reason": None,
    }
    assert content(project) == {
        **dict.fromkeys(["d", "n", "n/deep"], "directory"),
        "d/f": "y\n",
        "n/deep/g": "g\n",
    }
    assert (project / "d/f").stat().st_mode & 0o777 == 0o750


def test_refused_patch_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(project)
    code, report = run(project, CHANGE + CHANGE.replace("d/f", "missing"), capsys)
    assert code == 1
    assert report["applied"] is False
    assert str(report["reason"]).startswith("file-missing: ")
    assert content(project) == before


def test_failure_while_writing_undoes_everything(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "full").mkdir()
    (project / "full/kept").write_text("kept\n", encoding="utf-8")
    # What is deleted below `full` leaves one file there, so no file can take its place.
    (project / "full/h").write_text("h\n", encoding="utf-8")
    before = content(project)
    patch = CHANGE + NEW + GONE + GONE.replace("old/h", "full/h")
    code, report = run(project, patch + NEW.replace("n/deep/g", "full"), capsys)
    assert code == 1
    assert str(report["reason"]).startswith("not-written: ")
    assert content(project) == before


def test_links_inside_the_project_are_not_followed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "f").write_text("x\n", encoding="utf-8")
    (project / "link").symlink_to(outside)
    (project / "file").symlink_to(outside / "f")
    for path in ("link/f", "file"):
        code, report = run(project, CHANGE.replace("d/f", path), capsys)
        assert code == 1
        assert str(report["reason"]).startswith("through-link: ")
    assert (outside / "f").read_text("utf-8") == "x\n"


def test_file_gives_way_to_a_directory(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch = CHANGE.replace("+1 @@\n-x\n+y", "+0,0 @@\n-x").replace("b/d/f", "/dev/null")
    code, _ = run(project, patch + NEW.replace("n/deep", "d/f"), capsys)
    assert code == 0
    assert (project / "d/f/g").read_text("utf-8") == "g\n"


def test_link_of_git_is_made(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch = (
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+d/f\n"
    )
    assert run(project, f"{patch}\\ No newline at end of file\n", capsys)[0] == 0
    assert (project / "l").readlink() == Path("d/f")


def test_wrong_command_line_exits_with_2(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([str(project)], [str(project / "none"), "x"], [str(project), "no such file"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert capsys.readouterr().out == ""
