"""An `index` line that names the file as it is holds the result to what it names."""

from collections.abc import Callable
from hashlib import sha1, sha256

from tools.patching import PatchRefusal

Written = Callable[..., dict[str, bytes | None]]
Refused = Callable[..., PatchRefusal]

OLD, NEW = b"a\nb\nc\n", b"a\nB  \nc\n"
NOTHING = "0" * 7


def blob(data: bytes, size: int = 7) -> str:
    return sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()[:size]


def patch(old: str, new: str, added: str = "B  ") -> str:
    return (
        f"diff --git a/f b/f\nindex {old}..{new} 100644\n--- a/f\n+++ b/f\n"
        f"@@ -1,3 +1,3 @@\n a\n-b\n+{added}\n c\n"
    )


def test_result_that_the_line_names_is_taken(written: Written) -> None:
    for size in (7, 12, 40):
        assert written(patch(blob(OLD, size), blob(NEW, size)), {"f": OLD}) == {"f": NEW}
    long = [sha256(b"blob %d\0%s" % (len(data), data)).hexdigest() for data in (OLD, NEW)]
    assert written(patch(*long), {"f": OLD}) == {"f": NEW}


def test_white_space_lost_from_an_added_line_is_noticed(refused: Refused) -> None:
    refusal = refused(patch(blob(OLD), blob(NEW), "B"), {"f": OLD})
    assert refusal.reason == "incomplete"
    assert "leave out `index` lines" in str(refusal)


def test_file_that_the_line_names_for_the_result_is_done(refused: Refused) -> None:
    end = "@@ -1,2 +1,4 @@\n a\n b\n+a\n+b\n"
    head = patch(blob(b"a\nb\n"), blob(b"a\nb\na\nb\n")).partition("@@")[0]
    assert refused(head + end, {"f": b"a\nb\na\nb\n"}).reason == "already-applied"


def test_line_that_does_not_name_the_file_means_nothing(written: Written) -> None:
    for old, new in (("1234567", "89abcde"), ("1234567", blob(NEW)), (NOTHING, "89abcde")):
        assert written(patch(old, new, "B"), {"f": OLD}) == {"f": b"a\nB\nc\n"}


def test_new_file_is_held_to_it_beside_a_file_that_proves_the_lines(
    written: Written, refused: Refused
) -> None:
    new = (
        "diff --git a/n b/n\nnew file mode 100644\nindex {}..{}\n--- /dev/null\n+++ b/n\n"
        "@@ -0,0 +1 @@\n+n\n"
    )
    proof = patch(blob(OLD), blob(NEW))
    right = new.format(NOTHING, blob(b"n\n"))
    assert written(proof + right, {"f": OLD}) == {"f": NEW, "n": b"n\n"}
    wrong = new.format(NOTHING, blob(b"other\n"))
    assert refused(proof + wrong, {"f": OLD}).reason == "incomplete"
    assert written(patch("1234567", "89abcde") + wrong, {"f": OLD})["n"] == b"n\n"
