"""Nothing of a patch is dropped in silence, whatever stands around its files."""

from collections.abc import Callable

import pytest

from tools.patching import Entry, PatchRefusal

Written = Callable[..., dict[str, bytes | None]]
Refused = Callable[..., PatchRefusal]

ONE = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n+y\n"
RENAME = "diff --git a/g b/h\nsimilarity index 100%\nrename from g\nrename to h\n"
THERE = {"f": b"x\n", "g": b"g\n"}
BOTH = {"f": b"y\n", "g": None, "h": b"g\n"}


def test_plain_file_after_a_git_header_without_hunks_is_a_file_of_its_own(
    written: Written,
) -> None:
    assert written(RENAME + ONE, THERE) == written(ONE + RENAME, THERE) == BOTH
    mode = "diff --git a/g b/g\nold mode 100644\nnew mode 100755\n"
    assert written(mode + ONE, THERE) == {"f": b"y\n", "g": b"g\n"}
    empty = "diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n"
    assert written(empty + ONE, THERE) == {"e": b"", "f": b"y\n"}


def test_plain_file_after_miscounted_hunk_of_a_mixed_patch(written: Written) -> None:
    miscounted = "--- a/g\n+++ b/g\n@@ -1,2 +1,2 @@\n-g\n+G\n"
    moved = "diff --git a/k b/h\nrename from k\nrename to h\n"
    patch = ONE + moved + miscounted + ONE.replace("f", "p")
    made = written(patch, {**THERE, "k": b"k\n", "p": b"x\n"})
    assert made == {"f": b"y\n", "g": b"G\n", "k": None, "h": b"k\n", "p": b"y\n"}


@pytest.mark.parametrize(
    "line",
    [
        *("  diff --git a/g b/h", "> rename from g", "| similarity index 100%", "+++ b/g"),
        *("@@ -1 +1 @@", "> @@ -1 +1 @@", "  new file mode 100644", "deleted file mode 100644"),
    ],
)
def test_piece_of_a_header_outside_of_every_file_is_refused(line: str, refused: Refused) -> None:
    for patch in (f"{line}\n\n{ONE}", f"```\n{ONE}```\n{line}\n"):
        assert refused(patch, THERE).reason == "malformed"


def test_broken_header_of_a_hunk_is_refused(written: Written, refused: Refused) -> None:
    there = {"f": b"x\nb\nc\n"}
    for line in ("@ -3 +3 @@", "second hunk:"):
        assert refused(f"{ONE}{line}\n-c\n+C\n", there).reason == "malformed"
    assert written(f"{ONE}\nIt changes\n- one line\n+ and no other\n", there)


def test_prefix_on_the_new_name_alone_begins_a_file_too(written: Written) -> None:
    end = "--- d/g\n+++ b/d/g\n@@ -1 +1 @@\n-g\n+G\n"
    there = {"f": b"x\n", "d/g": b"g\n"}
    for counts in ("-1 +1", "-1,2 +1,2"):
        assert written(ONE.replace("-1 +1", counts) + end, there) == {"f": b"y\n", "d/g": b"G\n"}


def test_byte_order_mark_hides_no_file(written: Written) -> None:
    assert written(f"\ufeff{RENAME}{ONE}", THERE) == BOTH


def test_closing_fence_behind_the_last_line_is_none_of_it(written: Written) -> None:
    for fence, rest in (("```", ""), ("```", "\n"), ("~~~~", "\n\nDone.\n- all of it\n")):
        assert written(f"{fence}diff\n{ONE[:-1]}{fence}{rest}", THERE) == {"f": b"y\n"}


def test_fence_that_is_part_of_a_line_stays(written: Written) -> None:
    assert written("```diff\n" + ONE.replace("+y", "+a ```b```"), THERE) == {"f": b"a ```b```\n"}
    for line in ("y```", "```"):
        expected = {"f": f"{line}\n".encode()}
        patch = ONE.replace("+y", f"+{line}")
        assert written(patch, THERE) == expected
        assert written(f"```diff\n{patch}```\n", THERE) == expected


def test_context_that_looks_like_a_fence_without_its_blank_ends_no_hunk(
    refused: Refused,
) -> None:
    there = {"f": b"a\n```python\nb\nc\n```\n"}
    patch = "--- a/f\n+++ b/f\n@@ -1,5 +1,5 @@\n-a\n+A\n```python\n b\n-c\n+C\n ```\n"
    assert refused(patch, there).reason == "malformed"
    block = "*** Begin Patch\n*** Update File: f\n@@\n-a\n+A\n```python\n-b\n+B\n*** End Patch\n"
    assert refused(block, there).reason == "malformed"


def test_name_with_backslashes_is_no_new_file(refused: Refused) -> None:
    patch = "--- /dev/null\n+++ b/d\\n.py\n@@ -0,0 +1 @@\n+n\n"
    assert refused(patch, {}).reason == "outside-project"


def test_prefix_on_a_line_that_never_bears_one_is_unclear(
    written: Written, refused: Refused
) -> None:
    patch = "*** Begin Patch\n*** Add File: a/n\n+n\n*** End Patch\n"
    assert refused(patch, {}).reason == "ambiguous"
    assert written(patch, {"a": Entry("directory")}) == {"a/n": b"n\n"}


def test_insertion_at_the_start_is_not_made_twice(refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n+new\n x\n z\n"
    assert refused(patch, {"f": b"new\nx\nz\n"}).reason == "already-applied"


def test_end_of_a_file_is_not_added_twice(written: Written, refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -2,2 +2,4 @@\n b\n )\n+new\n+)\n"
    assert written(patch, {"f": b"a\nb\n)\n"}) == {"f": b"a\nb\n)\nnew\n)\n"}
    assert refused(patch, {"f": b"a\nb\n)\nnew\n)\n"}).reason == "already-applied"


def test_added_lines_do_not_move_where_context_is_missing(
    written: Written, refused: Refused
) -> None:
    there = {"f": b"a\nb\nc\nd\n"}
    for rows in (" a\n b\n+new\n", "+new\n c\n d\n"):
        patch = f"--- a/f\n+++ b/f\n@@ -2,{{}} +2,3 @@\n{rows}"
        assert refused(patch.format(3), there).reason == "incomplete"
        assert written(patch.format(2), there) == {"f": b"a\nb\nnew\nc\nd\n"}


def test_link_leads_along_one_line(refused: Refused) -> None:
    head = "diff --git a/l b/l\nnew file mode 120000\n"
    for rest in ("index 0000000..e69de29\n", "--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+f\n"):
        assert refused(head + rest, {}).reason == "malformed"


def test_converted_patch_does_not_rewrite_a_file_of_other_line_ends(refused: Refused) -> None:
    rows = "@@ -1,2 +1,2 @@\n-same\n-x\n+same\n+y\n"
    patch = f"--- a/f\n+++ b/f\n{rows}".replace("\n", "\r\n")
    assert refused(patch, {"f": b"same\nx\n"}).reason == "white-space-unclear"


def test_removed_line_that_is_cut_off_is_not_called_applied(refused: Refused) -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-bb"
    assert refused(patch, {"f": b"a\nbbb\nc\n"}).reason == "does-not-match"
