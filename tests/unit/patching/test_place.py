"""Where a hunk goes: by its lines, by the order of hunks, by numbers that can be believed."""

from collections.abc import Callable
from hashlib import sha1

from tools.patching import PatchRefusal, Plan

Planned = Callable[..., Plan]
Written = Callable[..., dict[str, bytes | None]]
Refused = Callable[..., PatchRefusal]

HEAD = "--- a/f\n+++ b/f\n"
TWICE = b"def a():\n    x = 1\n    return x\n\n\ndef b():\n    x = 1\n    return x\n"
HUNK = "     x = 1\n-    return x\n+    return x + 1\n"


def blob(data: bytes) -> str:
    """git's short name of the content."""
    return sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()[:7]


def how(made: Plan) -> tuple[str, ...]:
    return made.files[0].how


def test_unique_hunk_goes_where_its_lines_are(planned: Planned) -> None:
    made = planned(f"{HEAD}@@ -40,2 +40,2 @@\n b\n-c\n+C\n", {"f": b"a\nb\nc\nd\n"})
    assert made.writes[0].data == b"a\nb\nC\nd\n"
    assert how(made) == ("offset -38",)


def test_repeated_code_is_refused_without_a_number(refused: Refused) -> None:
    refusal = refused(f"{HEAD}@@\n{HUNK}", {"f": TWICE})
    assert refusal.reason == "ambiguous"
    assert "fits equally well at 2, 7" in str(refusal)


def test_repeated_code_is_refused_where_the_number_names_neither_place(refused: Refused) -> None:
    for start in (1, 3, 6, 8, 100):
        patch = f"{HEAD}@@ -{start},2 +{start},2 @@\n{HUNK}"
        assert refused(patch, {"f": TWICE}).reason == "ambiguous"


def test_number_alone_does_not_decide_between_places(refused: Refused) -> None:
    for start in (2, 7):
        patch = f"{HEAD}@@ -{start},2 +{start},2 @@\n{HUNK}"
        assert refused(patch, {"f": TWICE}).reason == "ambiguous"


def test_number_and_heading_that_agree_decide(written: Written) -> None:
    expected = TWICE[:-1] + b" + 1\n"
    assert written(f"{HEAD}@@ -7,2 +7,2 @@ def b():\n{HUNK}", {"f": TWICE}) == {"f": expected}


def test_heading_that_both_places_share_does_not_decide(refused: Refused) -> None:
    there = b"class A:\n" + TWICE.replace(b"\n", b"\n    ")
    hunk = "         x = 1\n-        return x\n+        return x + 1\n"
    assert refused(f"{HEAD}@@ -8,2 +8,2 @@ class A:\n{hunk}", {"f": there}).reason == "ambiguous"


def test_number_decides_where_git_wrote_it_for_this_file(written: Written) -> None:
    expected = TWICE[:-1] + b" + 1\n"
    git = f"diff --git a/f b/f\nindex {blob(TWICE)}..{blob(expected)} 100644\n{HEAD}"
    assert written(f"{git}@@ -7,2 +7,2 @@\n{HUNK}", {"f": TWICE}) == {"f": expected}


def test_number_that_its_heading_contradicts_does_not_decide(refused: Refused) -> None:
    patch = f"{HEAD}@@ -2,2 +2,2 @@ def b():\n{HUNK}"
    assert refused(patch, {"f": TWICE}).reason == "ambiguous"


def test_number_that_the_new_number_contradicts_does_not_decide(refused: Refused) -> None:
    assert refused(f"{HEAD}@@ -7,2 +2,2 @@\n{HUNK}", {"f": TWICE}).reason == "ambiguous"


def test_number_does_not_decide_where_another_hunk_of_the_patch_is_off(refused: Refused) -> None:
    other = "--- a/g\n+++ b/g\n@@ -5 +5 @@\n-one\n+two\n"
    patch = f"{HEAD}@@ -7,2 +7,2 @@\n{HUNK}{other}"
    assert refused(patch, {"f": TWICE, "g": b"one\n"}).reason == "ambiguous"


def test_number_with_wrong_counts_decides_only_beside_one_that_is_right(
    written: Written, refused: Refused
) -> None:
    patch = f"{HEAD}@@ -7,1 +7,1 @@ def b():\n{HUNK}"
    assert refused(patch, {"f": TWICE}).reason == "ambiguous"
    other = "--- a/g\n+++ b/g\n@@ -1 +1 @@\n-one\n+two\n"
    expected = TWICE[:-1] + b" + 1\n"
    assert written(patch + other, {"f": TWICE, "g": b"one\n"}) == {"f": expected, "g": b"two\n"}


def test_order_of_hunks_leaves_one_place(written: Written) -> None:
    patch = f"{HEAD}@@\n-def b():\n+def c():\n@@\n{HUNK}"
    expected = TWICE.replace(b"b()", b"c()")[:-1] + b" + 1\n"
    assert written(patch, {"f": TWICE}) == {"f": expected}


def test_order_that_the_numbers_contradict_does_not_decide(refused: Refused) -> None:
    first = f"@@ -7,2 +7,2 @@\n{HUNK}"
    for other in ("@@ -1 +1 @@\n-def a():\n+def A():\n", "@@ -6 +6 @@\n-def b():\n+def B():\n"):
        patch = HEAD + first + other
        assert refused(patch, {"f": TWICE}).reason in ("ambiguous", "does-not-match")
    numbers = "@@ -2,2 +2,2 @@"
    patch = f"{HEAD}@@ -6 +6 @@\n-def b():\n+def c():\n{numbers}\n{HUNK}"
    assert refused(patch, {"f": TWICE}).reason == "ambiguous"


def test_same_hunk_without_numbers_twice_does_not_mean_both_places(refused: Refused) -> None:
    assert refused(f"{HEAD}@@\n{HUNK}@@\n{HUNK}", {"f": TWICE}).reason == "ambiguous"


def test_sections_of_one_file_may_not_share_a_hunk(written: Written, refused: Refused) -> None:
    one, two = (f"{HEAD}@@\n-{name}\n+{name.upper()}\n" for name in "ac")
    there = {"f": b"a\nb\nc\na\n"}
    assert written(one + two, {"f": b"a\nb\nc\n"}) == {"f": b"A\nb\nC\n"}
    assert refused(two + one + two, there).reason == "malformed"
    end = f"{HEAD}@@ -3 +3,2 @@\n c\n+d\n"
    assert refused(end + end, {"f": b"a\nb\nc\n"}).reason == "malformed"


def test_hunks_out_of_order_are_refused(refused: Refused) -> None:
    patch = f"{HEAD}@@\n-c\n+C\n@@\n-a\n+A\n"
    assert "not in the order given" in str(refused(patch, {"f": b"a\nb\nc\n"}))


def test_same_hunk_twice_is_refused(refused: Refused) -> None:
    patch = f"{HEAD}@@\n a\n+new\n@@\n a\n+new\n"
    assert refused(patch, {"f": b"a\nb\n"}).reason == "does-not-match"


def test_hunks_may_share_context(written: Written) -> None:
    patch = f"{HEAD}@@\n-a\n+A\n b\n@@\n b\n-c\n+C\n"
    assert written(patch, {"f": b"a\nb\nc\n"}) == {"f": b"A\nb\nC\n"}


def test_heading_without_numbers_names_the_section(written: Written, refused: Refused) -> None:
    expected = TWICE[:-1] + b" + 1\n"
    assert written(f"{HEAD}@@ def b():\n{HUNK}", {"f": TWICE}) == {"f": expected}
    assert refused(f"{HEAD}@@ def z():\n{HUNK}", {"f": TWICE}).reason == "ambiguous"


def test_end_of_file_mark_names_the_last_place(written: Written) -> None:
    patch = f"*** Begin Patch\n*** Update File: f\n@@\n{HUNK}*** End of File\n*** End Patch\n"
    assert written(patch, {"f": TWICE}) == {"f": TWICE[:-1] + b" + 1\n"}


def test_wrong_outer_context_is_dropped_with_a_note(planned: Planned) -> None:
    made = planned(f"{HEAD}@@ -1,3 +1,3 @@\n elsewhere\n b\n-c\n+C\n", {"f": b"a\nb\nc\nd\n"})
    assert made.writes[0].data == b"a\nb\nC\nd\n"
    assert how(made) == ("fuzz 1",)


def test_context_that_stands_elsewhere_is_not_dropped(refused: Refused) -> None:
    patch = f"{HEAD}@@ -1,3 +1,3 @@\n elsewhere\n b\n-c\n+C\n"
    assert refused(patch, {"f": b"a\nb\nc\nelsewhere\n"}).reason == "does-not-match"


def test_blank_context_that_does_not_match_is_not_dropped(refused: Refused) -> None:
    patch = f"{HEAD}@@ -2,3 +2,3 @@\n b\n-c\n+C\n \n"
    assert refused(patch, {"f": b"a\nb\nc\nd\n\n"}).reason == "does-not-match"


def test_insertion_between_lines_that_are_apart_is_not_guessed(refused: Refused) -> None:
    patch = f"{HEAD}@@ -1,4 +1,5 @@\n a\n b\n+new\n y\n z\n"
    assert refused(patch, {"f": b"a\nb\nm\nn\no\np\nq\ny2\nz2\n"}).reason == "does-not-match"


def test_removed_line_is_never_dropped(refused: Refused) -> None:
    patch = f"{HEAD}@@ -1,4 +1,3 @@\n a\n-gone\n b\n c\n"
    assert refused(patch, {"f": b"a\nq\nb\nc\n"}).reason == "does-not-match"


def test_insertion_without_any_context_is_refused(refused: Refused) -> None:
    assert refused(f"{HEAD}@@ -1,3 +1,4 @@\n+new\n", {"f": b"a\n"}).reason == "does-not-match"


def test_ten_thousand_equal_lines_are_searched_quickly(refused: Refused) -> None:
    patch = HEAD + "@@ -1 +1,2 @@\n }\n+x\n" * 50
    assert refused(patch, {"f": b"}\n" * 10_000}).reason == "ambiguous"


def test_order_does_not_decide_where_not_every_place_was_kept(refused: Refused) -> None:
    there = b"}\n" * 250 + b"mark\n}\n"
    patch = f"{HEAD}@@\n-mark\n+MARK\n@@\n }}\n+x\n"
    assert refused(patch, {"f": there}).reason == "ambiguous"


def test_lines_that_stand_there_already_are_not_added_again(refused: Refused) -> None:
    assert refused(f"{HEAD}@@\n a\n+x\n", {"f": b"a\nx\nb\n"}).reason == "already-applied"


def test_heading_does_not_decide_where_not_every_place_was_kept(refused: Refused) -> None:
    named, other = b"def b():\n    x\n", b"def c():\n    x\n"
    patch = f"{HEAD}@@ def b():\n     x\n+    y\n"
    assert refused(patch, {"f": named + other * 250 + named}).reason == "ambiguous"


def test_number_decides_beyond_the_places_that_were_kept(written: Written) -> None:
    there, expected = b"x\n" * 500, b"x\n" * 399 + b"y\n" + b"x\n" * 100
    git = f"diff --git a/f b/f\nindex {blob(there)}..{blob(expected)} 100644\n{HEAD}"
    assert written(f"{git}@@ -400 +400 @@\n-x\n+y\n", {"f": there}) == {"f": expected}
