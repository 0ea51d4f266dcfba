"""Which files a patch means and what becomes of them."""

from collections.abc import Callable

from tools.patching import Entry, PatchRefusal, Plan, Reason, Write, success_text

Planned = Callable[..., Plan]
Written = Callable[..., dict[str, bytes | None]]
Refused = Callable[..., PatchRefusal]

CHANGE = "@@ -1 +1 @@\n-x\n+y\n"
NO_END = "\\ No newline at end of file\n"


def test_prefixes_may_be_missing_on_either_side(written: Written) -> None:
    for old, new in (("a/f", "b/f"), ("f", "f"), ("a/f", "f"), ("f", "b/f"), ("./f", "./f")):
        assert written(f"--- {old}\n+++ {new}\n{CHANGE}", {"f": b"x\n"}) == {"f": b"y\n"}


def test_two_roots_are_prefixes_where_the_file_says_so(written: Written, refused: Refused) -> None:
    patch = f"--- pkg-1.0/d/f\n+++ pkg-1.1/d/f\n{CHANGE}"
    assert written(patch, {"d/f": b"x\n"}) == {"d/f": b"y\n"}
    both = {"d/f": b"x\n", "pkg-1.0/d/f": b"x\n"}
    assert refused(patch, both).reason == Reason.AMBIGUOUS


def test_directory_named_like_a_prefix(written: Written, refused: Refused) -> None:
    patch = f"--- a/f\n+++ a/f\n{CHANGE}"
    assert written(patch, {"a/f": b"x\n"}) == {"a/f": b"y\n"}
    assert refused(patch, {"a/f": b"x\n", "f": b"x\n"}).reason == Reason.AMBIGUOUS
    new = "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+n\n"
    assert written(new, {}) == {"n": b"n\n"}
    assert refused(new, {"b": Entry("directory")}).reason == Reason.AMBIGUOUS
    unprefixed = f"--- f\n+++ f\n{CHANGE}"
    assert written(unprefixed + new, {"f": b"x\n"}) == {"f": b"y\n", "b/n": b"n\n"}
    git = new.replace("---", "diff --git a/n b/n\nnew file mode 100644\n---", 1)
    assert written(git, {"b": Entry("directory")}) == {"n": b"n\n"}


def test_rename_with_and_without_a_change(planned: Planned) -> None:
    head = "diff --git a/f b/d/g\nsimilarity index 100%\nrename from f\nrename to d/g\n"
    other = head.replace("100%", "90%")
    for patch, data in ((head, b"x\n"), (f"{other}--- a/f\n+++ b/d/g\n{CHANGE}", b"y\n")):
        made = planned(patch, {"f": Entry("file", b"x\n", executable=True)})
        assert made.writes == (Write("d/g", data, executable=True),)
        assert made.deletes == ("f",)
        assert made.renames == (("f", "d/g"),)


def test_bare_headers_with_two_names_are_a_rename_where_only_the_old_exists(
    written: Written, refused: Refused
) -> None:
    patch = f"--- a/f\n+++ b/g\n{CHANGE}"
    assert written(patch, {"f": b"x\n"}) == {"f": None, "g": b"y\n"}
    assert written(patch, {"g": b"x\n"}) == {"g": b"y\n"}
    assert refused(patch, {"f": b"x\n", "g": b"x\n"}).reason == Reason.FILE_EXISTS


def test_copy_leaves_the_source(written: Written) -> None:
    patch = f"diff --git a/f b/g\ncopy from f\ncopy to g\n--- a/f\n+++ b/g\n{CHANGE}"
    assert written(patch, {"f": b"x\n"}) == {"g": b"y\n"}


def test_modes_follow_the_header(planned: Planned) -> None:
    patch = "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"
    assert planned(patch, {"f": b"x\n"}).writes == (Write("f", b"x\n", executable=True),)
    new = "diff --git a/n b/n\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/n\n"
    made = planned(f"{new}@@ -0,0 +1 @@\n+n\n", {})
    assert made.writes == (Write("n", b"n\n", executable=True),)


def test_empty_files_come_and_go(written: Written) -> None:
    assert written("diff --git a/n b/n\nnew file mode 100644\nindex 0000000..e69de29\n", {}) == {
        "n": b""
    }
    gone = "diff --git a/n b/n\ndeleted file mode 100644\nindex e69de29..0000000\n"
    assert written(gone, {"n": b""}) == {"n": None}
    assert written("--- a/e\n+++ b/e\n@@ -0,0 +1 @@\n+x\n", {"e": b""}) == {"e": b"x\n"}


def test_link_is_made_and_changed_as_git_says(planned: Planned) -> None:
    new_file = "new file mode 120000\n--- /dev/null\n+++ b/d/l\n@@ -0,0 +1 @@\n"
    end = f"+e\n{NO_END}"
    new = f"diff --git a/d/l b/d/l\n{new_file}{end}"
    assert planned(new, {}).writes == (Write("d/l", b"e", link=True),)
    change = (
        f"diff --git a/l b/l\nindex 1..2 120000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-x\n{NO_END}{end}"
    )
    assert planned(change, {"l": Entry("link", b"x")}).writes == (Write("l", b"e", link=True),)


def test_sections_of_one_file_apply_one_after_the_other(written: Written) -> None:
    patch = f"--- a/f\n+++ b/f\n{CHANGE}--- a/f\n+++ b/f\n@@ -1 +1 @@\n-y\n+z\n"
    assert written(patch, {"f": b"x\n"}) == {"f": b"z\n"}


def test_last_line_without_a_line_feed(written: Written, refused: Refused) -> None:
    head = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n"
    for old, new, before, after in (
        (NO_END, NO_END, b"a\nx", b"a\ny"),
        (NO_END, "", b"a\nx", b"a\ny\n"),
        ("", NO_END, b"a\nx\n", b"a\ny"),
        ("", NO_END, b"a\nx", b"a\ny"),
    ):
        assert written(f"{head}-x\n{old}+y\n{new}", {"f": before}) == {"f": after}
    assert refused(f"{head}-x\n+y\n", {"f": b"a\nx"}).reason == Reason.WHITE_SPACE
    kept = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+b\n x\n"
    assert written(kept, {"f": b"a\nx"}) == {"f": b"b\nx"}


def test_lines_keep_the_line_ends_of_their_file(written: Written, refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-x\n+y\n"
    assert written(patch, {"f": b"a\r\nx\r\n"}) == {"f": b"a\r\ny\r\n"}
    assert written(patch.replace("\n", "\r\n"), {"f": b"a\nx\n"}) == {"f": b"a\ny\n"}
    assert refused(patch, {"f": b"a\r\nx\n"}).reason == Reason.WHITE_SPACE


def test_line_replaced_by_itself_is_refused(refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-x\n+x\n"
    for there in (b"a\nx\n", b"a\r\nx\r\n"):
        assert refused(patch, {"f": there}).reason == Reason.WHITE_SPACE


def test_white_space_that_a_moved_line_may_have_lost_is_not_guessed(refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-foo\n-bar\n+bar2\n+foo\n"
    assert refused(patch, {"f": b"foo  \nbar\n"}).reason == Reason.WHITE_SPACE


def test_white_space_is_removed_where_that_is_the_change(written: Written) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-foo\n-bar\n+foo\n+bar2\n"
    assert written(patch, {"f": b"foo  \nbar\n"}) == {"f": b"foo\nbar2\n"}


def test_whole_file_with_other_line_ends_is_not_guessed(refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n-b\n+a\n+c\n"
    assert refused(patch, {"f": b"a\r\nb\r\n"}).reason == Reason.WHITE_SPACE


def test_bytes_that_are_no_text_stay_as_they_are(written: Written) -> None:
    patch = b"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n caf\xe9\n-x\n+\xff\n"
    expected = {"f": b"caf\xe9\n\xff\n"}
    assert written(patch, {"f": b"caf\xe9\nx\n"}) == expected
    assert written(patch.decode("utf-8", "surrogateescape"), {"f": b"caf\xe9\nx\n"}) == expected


def test_summary_names_files_lines_and_how(planned: Planned) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -9,5 +9,6 @@\n a\n-x \n+y\n+z\n"
    text = success_text(planned(patch, {"f": b"a\nx\n"}))
    assert text.splitlines() == [
        "The patch was applied: 1 file.",
        "  modified f (+2 -1; offset -8, recounted, whitespace)",
    ]
