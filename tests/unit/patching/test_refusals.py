"""What is never applied, and what the model is told."""

from collections.abc import Callable

import pytest

from tools.patching import Entry, PatchLimits, PatchRefusal, Reason

Refused = Callable[..., PatchRefusal]
Written = Callable[..., dict[str, bytes | None]]

CHANGE = "@@ -1 +1 @@\n-x\n+y\n"


def to(path: str) -> str:
    return f"--- {path}\n+++ {path}\n{CHANGE}"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "d//x", "a//etc/passwd", "d/..", "C:\\x"]
)
def test_path_outside_the_project_is_refused(path: str, refused: Refused) -> None:
    for patch in (to(path), f"--- /dev/null\n+++ {path}\n@@ -0,0 +1 @@\n+y\n"):
        assert refused(patch, {}).reason == Reason.OUTSIDE
    for line in ("Add", "Update", "Delete"):
        body = {"Add": "+x\n", "Update": "@@\n-x\n+y\n", "Delete": ""}[line]
        patch = f"*** Begin Patch\n*** {line} File: {path}\n{body}*** End Patch\n"
        assert refused(patch, {}).reason == Reason.OUTSIDE


def test_rename_out_of_the_project_is_refused(refused: Refused) -> None:
    patch = "diff --git a/x b/x\nsimilarity index 100%\nrename from x\nrename to ../y\n"
    assert refused(patch, {"x": b"x\n"}).reason == Reason.OUTSIDE


@pytest.mark.parametrize(
    "path",
    [".git/config", "d/.GIT/hooks/x", ".git", "a/.git", ".git./x", "git~1/x", ".g\u200cit/x"],
)
def test_path_into_git_is_refused(path: str, refused: Refused) -> None:
    assert refused(to(path), {path: b"x\n"}).reason == Reason.INTO_GIT


def test_names_that_only_begin_like_git_are_taken(written: Written) -> None:
    for path in (".gitignore", ".github/x", "git/x"):
        assert written(to(path), {path: b"x\n"}) == {path: b"y\n"}


def test_path_through_a_link_is_refused(refused: Refused) -> None:
    behind = {"d/x": Entry("file", b"x\n", link_above=True)}
    assert refused(to("d/x"), behind).reason == Reason.THROUGH_LINK
    assert refused(to("x"), {"x": Entry("link", b"x\n")}).reason == Reason.THROUGH_LINK
    new = "--- /dev/null\n+++ b/d/n\n@@ -0,0 +1 @@\n+y\n"
    assert refused(new, {"d/n": Entry(link_above=True)}).reason == Reason.THROUGH_LINK
    gone = "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert refused(gone, {"x": Entry("link", b"x\n")}).reason == Reason.THROUGH_LINK


def test_path_through_a_link_that_the_patch_makes_is_refused(refused: Refused) -> None:
    link = "diff --git a/d b/d\nnew file mode 120000\n--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+e\n"
    link += "\\ No newline at end of file\n"
    below = "--- /dev/null\n+++ b/d/x\n@@ -0,0 +1 @@\n+x\n"
    assert refused(link + below, {}).reason == Reason.THROUGH_LINK


@pytest.mark.parametrize("target", ["/etc", "../up", "d/../../up"])
def test_link_out_of_the_project_is_refused(target: str, refused: Refused) -> None:
    head = "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n"
    patch = f"{head}@@ -0,0 +1 @@\n+{target}\n"
    assert refused(patch + "\\ No newline at end of file\n", {}).reason == Reason.OUTSIDE


@pytest.mark.parametrize(
    "patch",
    [
        "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZ\n",
        "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n",
        f"Binary files one/x and two/x differ\n{to('x')}",
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+\0\n",
    ],
)
def test_binary_change_is_refused(patch: str, refused: Refused) -> None:
    assert refused(patch, {"x": b"x\n"}).reason == Reason.BINARY


def test_submodule_is_refused(refused: Refused) -> None:
    patch = "diff --git a/m b/m\nindex 1..2 160000\n--- a/m\n+++ b/m\n"
    assert refused(
        f"{patch}@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n", {}
    ).reason == (Reason.SUBMODULE)


def test_patch_above_a_limit_is_refused(refused: Refused) -> None:
    tree = {"x": b"x\n", "z": b"x\n"}
    two = to("x") + to("z")
    for limits in (
        PatchLimits(max_bytes=len(two) - 1),
        PatchLimits(max_files=1),
        PatchLimits(max_hunks=1),
    ):
        assert refused(two, tree, limits).reason == Reason.OVERSIZED


def test_nothing_of_a_patch_is_planned_where_one_file_is_wrong(refused: Refused) -> None:
    refusal = refused(to("x") + to("z"), {"x": b"x\n", "z": b"other\n"})
    assert refusal.reason == Reason.DOES_NOT_MATCH
    assert "Nothing was changed." in str(refusal)


def test_refused_hunk_is_shown_beside_the_closest_lines(refused: Refused) -> None:
    patch = (
        "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n def f(a):\n-    return a+1\n+    return a\n # end\n"
    )
    text = str(refused(patch, {"x": b"import os\n\ndef f(a):\n    return a + 1\n# end\n"}))
    assert "! -    return a+1\n" in text
    assert "!     4     return a + 1\n" in text
    assert "      3 def f(a):\n" in text


def test_refusal_of_many_hunks_stays_short(refused: Refused) -> None:
    hunks = "".join(f"@@ -{n},2 +{n},2 @@\n line {n}\n-no {n}\n+x\n" for n in range(1, 90))
    tree = {"x": b"".join(b"line %d\n" % n for n in range(100))}
    assert len(str(refused(f"--- a/x\n+++ b/x\n{hunks}", tree)).splitlines()) <= 64


def test_applied_change_is_called_so(refused: Refused) -> None:
    assert refused(to("x"), {"x": b"y\n"}).reason == Reason.ALREADY_APPLIED
    new = "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+y\n"
    assert refused(new, {"n": b"y\n"}).reason == Reason.ALREADY_APPLIED


@pytest.mark.parametrize("patch", ["", "no diff here\n", "```diff\n```\n", "\n\n"])
def test_text_without_a_diff_is_called_so(patch: str, refused: Refused) -> None:
    assert refused(patch, {}).reason == Reason.EMPTY


def test_diff_that_changes_nothing_is_called_so(refused: Refused) -> None:
    patch = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n x\n"
    assert refused(patch, {"x": b"x\n"}).reason == Reason.NOTHING_TO_DO


def test_missing_and_existing_files_are_told_apart(refused: Refused) -> None:
    assert refused(to("x"), {}).reason == Reason.FILE_MISSING
    new = "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+y\n"
    assert refused(new, {"n": b"other\n"}).reason == Reason.FILE_EXISTS
    moved = "diff --git a/x b/n\nrename from x\nrename to n\n"
    assert refused(moved, {"x": b"x\n", "n": b"n\n"}).reason == Reason.FILE_EXISTS
    assert refused(to("d"), {"d": Entry("directory")}).reason == Reason.NOT_A_FILE
    assert refused(new.replace("b/n", "b/f/n"), {"f/n": Entry(file_above=True)}).reason == (
        Reason.NOT_A_FILE
    )


def test_deletion_that_does_not_list_the_whole_file_is_refused(refused: Refused) -> None:
    patch = "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert refused(patch, {"x": b"x\nmore\n"}).reason == Reason.DOES_NOT_MATCH


def test_hunk_without_a_file_and_file_without_a_hunk_are_refused(refused: Refused) -> None:
    assert refused(CHANGE, {}).reason == Reason.MALFORMED
    assert refused("--- a/x\n+++ b/x\n", {"x": b"x\n"}).reason == Reason.MALFORMED
