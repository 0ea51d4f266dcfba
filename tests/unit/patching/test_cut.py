"""A patch that ends in the middle is refused; one that only counts wrongly is not."""

from collections.abc import Callable

import pytest

from tools.patching import PatchRefusal

Written = Callable[..., dict[str, bytes | None]]
Refused = Callable[..., PatchRefusal]

HEAD = "--- a/f\n+++ b/f\n"
FILE = b"".join(b"line %d\n" % number for number in range(1, 31))
# Lines 4 and 9 change; the hunk runs from line 1 to line 12.
ROWS = [
    *(f" line {number}" for number in (1, 2, 3)), "-line 4", "+four",
    *(f" line {number}" for number in (5, 6, 7, 8)), "-line 9", "+nine",
    *(f" line {number}" for number in (10, 11, 12)),
]  # fmt: skip
WHOLE = FILE.replace(b"line 4\n", b"four\n").replace(b"line 9\n", b"nine\n")


def patch(rows: list[str], old: int = 12, new: int = 12) -> str:
    return f"{HEAD}@@ -1,{old} +1,{new} @@\n" + "".join(f"{row}\n" for row in rows)


@pytest.mark.parametrize("kept", [*range(4, 11)])
def test_hunk_that_ends_in_the_middle_is_refused(kept: int, refused: Refused) -> None:
    for end in ("", "```\n", "\nThat is all.\n"):
        assert refused(patch(ROWS[:kept]) + end, {"f": FILE}).reason == "incomplete"


def test_line_cut_in_two_is_refused(refused: Refused) -> None:
    for kept in range(4, 11):
        torn = patch(ROWS[:kept])[:-3]
        assert refused(torn, {"f": FILE}).reason in ("incomplete", "does-not-match")
        assert refused(f"{torn}\n```\n", {"f": FILE}).reason in ("incomplete", "does-not-match")


def test_lost_trailing_context_is_no_cut(written: Written) -> None:
    for kept in (12, 13):
        assert written(patch(ROWS[:kept]), {"f": FILE}) == {"f": WHOLE}


def test_context_that_ends_the_file_may_be_a_change(written: Written, refused: Refused) -> None:
    twelve = b"".join(FILE.splitlines(keepends=True)[:12])
    assert refused(patch(ROWS[:12]), {"f": twelve}).reason == "incomplete"
    assert written(patch(ROWS), {"f": twelve})


def test_half_a_context_line_may_hide_a_cut(refused: Refused) -> None:
    assert refused(patch([*ROWS[:12], " lin"]), {"f": FILE}).reason == "incomplete"


def test_added_line_at_the_end_may_be_cut_itself(refused: Refused) -> None:
    assert refused(patch(ROWS[:11]), {"f": FILE}).reason == "incomplete"


def test_wrong_counts_of_a_hunk_with_all_its_context_are_mended(written: Written) -> None:
    for old, new in ((13, 13), (14, 14), (20, 12), (12, 20), (11, 12), (5, 5)):
        assert written(patch(ROWS, old, new), {"f": FILE}) == {"f": WHOLE}


def test_counts_far_too_large_on_both_sides_are_refused(refused: Refused) -> None:
    assert refused(patch(ROWS, 16, 17), {"f": FILE}).reason == "incomplete"


def test_more_lines_than_the_file_has_are_a_wrong_count(written: Written) -> None:
    assert written(patch(ROWS[:11], 40, 40), {"f": FILE}) == {"f": WHOLE}


def test_end_of_the_file_may_lack_added_lines(written: Written, refused: Refused) -> None:
    rows = [" b", " c", "+d"]
    there = {"f": b"a\nb\nc\n"}
    for new in (3, 2):
        patch = f"{HEAD}@@ -2,2 +2,{new} @@\n" + "\n".join(rows) + "\n"
        assert written(patch, there) == {"f": b"a\nb\nc\nd\n"}
    patch = f"{HEAD}@@ -2,2 +2,4 @@\n" + "\n".join(rows) + "\n"
    assert refused(patch, there).reason == "incomplete"


def test_short_new_file_is_refused(written: Written, refused: Refused) -> None:
    new = "--- /dev/null\n+++ b/n\n@@ -0,0 +1,{} @@\n+one\n+two\n"
    assert refused(new.format(3), {}).reason == "incomplete"
    for count in (2, 1):
        assert written(new.format(count), {}) == {"n": b"one\ntwo\n"}
    assert written(new.replace(" -0,0 +1,{} @@", ""), {}) == {"n": b"one\ntwo\n"}


def test_who_counts_wrongly_elsewhere_does_so_at_the_end(
    written: Written, refused: Refused
) -> None:
    new = "--- /dev/null\n+++ b/n\n@@ -0,0 +1,3 @@\n+one\n+two\n"
    there = {"f": FILE}
    assert written(patch(ROWS, 11, 11) + new, there) == {"f": WHOLE, "n": b"one\ntwo\n"}
    assert refused(patch(ROWS) + new, there).reason == "incomplete"
    assert refused(patch(ROWS, 11, 11) + new.replace("1,3", "1,30"), there).reason == "incomplete"
    assert refused(patch(ROWS, 11, 11) + new[:-1], there).reason == "incomplete"


def test_hunk_before_another_file_is_not_cut(written: Written) -> None:
    other = "--- a/g\n+++ b/g\n@@ -1 +1 @@\n-x\n+y\n"
    made = written(patch(ROWS[:12], 13, 13) + other, {"f": FILE, "g": b"x\n"})
    assert made == {"f": WHOLE, "g": b"y\n"}


@pytest.mark.parametrize(
    "end",
    [
        "diff --git a/n b/n\nnew file mode 100644\n",
        "diff --git a/n b/n\nnew file mode 100644\nin",
        "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..c",
        "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..c1b2a39\n",
        "diff --git a/g b/new\nsimilarity index 90%\nrename from g\nrename to new\n",
        "diff --git a/g b/new\nsimilarity index 100%\nrename from g\nrename to ne",
        "diff --git a/g b/new\nsimilarity index 100%\nrename from g\nrename to new\n--- /dev/n",
        *("diff", "diff --git", "diff --git a/g", "diff --git a/g b/g", "--- a/g"),
        *(
            "--- a/g\n+++ ",
            "--- a/g\n+++ b/g\n",
            "--- a/g\n+++ b/g\n@@",
            "--- a/g\n+++ b/g\n@@ -1,2",
        ),
        "--- a/g\n+++ b/g\n@@ -1 +1 @@\n",
    ],
)
def test_header_that_ends_in_the_middle_is_refused(end: str, refused: Refused) -> None:
    reason = refused(patch(ROWS) + end, {"f": FILE, "g": b"x\n"}).reason
    assert reason in ("incomplete", "malformed", "does-not-match")


def test_begin_patch_without_its_end_is_refused(written: Written, refused: Refused) -> None:
    text = "*** Begin Patch\n*** Update File: f\n@@\n-line 4\n+four\n"
    assert refused(text, {"f": FILE}).reason == "incomplete"
    assert written(f"{text}*** End Patch\n", {"f": FILE})
