"""What a model wrote is read for what it means, or refused; it never raises anything else."""

import unidiff
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.patching import Action, FileChange, Hunk, Line, PatchRefusal, parse
from tools.patching.change import Mark, Span

PIECES = [
    *(
        "--- a/x",
        "+++ b/x",
        "@@ -1,2 +1,2 @@",
        "@@",
        "@@ def f",
        "@@@ -1 -1 +1 @@@",
        "+one",
        "-two",
    ),
    *(" three", "", "diff --git a/x b/x", "rename from x", "rename to y", "index 1..2 100644"),
    *("new file mode 100644", "deleted file mode 9", "\\ No newline at end of file", "```diff"),
    *("*** Begin Patch", "*** Update File: x", "*** Add File: y", "*** Move to: z", "prose", "-- "),
    *(
        '--- "a/\\351"',
        "*** End of File",
        "*** Delete File: x",
        "GIT binary patch",
        "--- /dev/null",
    ),
]


def hunk_text(hunk: Hunk) -> bytes:
    assert hunk.old is not None
    assert hunk.new is not None
    old, new = hunk.old, hunk.new
    rows = [f"@@ -{old.start},{old.count} +{new.start},{new.count} @@".encode()]
    if hunk.anchors:
        rows[0] += b" " + hunk.anchors[0]
    for line in hunk.lines:
        rows.append(line.mark.encode() + line.text)
        if not line.newline:
            rows.append(b"\\ No newline at end of file")
    return b"\n".join(rows)


def render(changes: tuple[FileChange, ...]) -> bytes:
    rows = []
    for change in changes:
        rows.append(f"--- {change.old or '/dev/null'}".encode())
        rows.append(f"+++ {change.new or '/dev/null'}".encode())
        rows.extend(hunk_text(hunk) for hunk in change.hunks)
    return b"\n".join(rows) + b"\n"


TEXTS = st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b""))
MARKS: list[Mark] = [" ", "-", "+"]
LINES = st.lists(st.builds(Line, st.sampled_from(MARKS), TEXTS), min_size=1, max_size=8).map(tuple)


def hunk_of(lines: tuple[Line, ...], newline: bool, start: int, heading: tuple[bytes, ...]) -> Hunk:
    if not newline:
        lines = (*lines[:-1], Line(lines[-1].mark, lines[-1].text, newline=False))
    old = sum(line.mark != "+" for line in lines)
    new = sum(line.mark != "-" for line in lines)
    return Hunk(lines, Span(start, old), Span(start, new), heading)


HUNKS = st.builds(
    hunk_of, LINES, st.booleans(), st.integers(1, 10_000), st.sampled_from([(), (b"def f(x):",)])
)


def change_of(name: str, action: Action, hunks: tuple[Hunk, ...]) -> FileChange:
    old = None if action is Action.ADD else f"a/{name}"
    new = None if action is Action.DELETE else f"b/{name}"
    return FileChange(action, old, new, hunks=hunks)


CHANGES = st.builds(
    change_of,
    st.sampled_from(["x.py", "d/sub dir.txt", "é.c"]),
    st.sampled_from([Action.MODIFY, Action.ADD, Action.DELETE]),
    st.lists(HUNKS, min_size=1, max_size=3).map(tuple),
)


def without_lines(changes: tuple[FileChange, ...]) -> tuple[FileChange, ...]:
    """The changes as they compare: where in the patch a hunk stood does not matter."""
    return tuple(
        FileChange(
            change.action,
            change.old,
            change.new,
            hunks=tuple(
                Hunk(hunk.lines, hunk.old, hunk.new, hunk.anchors, hunk.recounted)
                for hunk in change.hunks
            ),
        )
        for change in changes
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=3).map(tuple))
def test_parsing_gives_back_what_was_written(changes: tuple[FileChange, ...]) -> None:
    assert without_lines(parse(render(changes))) == changes


def read_or_refused(text: str | bytes) -> str:
    """What reading came to; any other exception than a refusal goes through."""
    try:
        return "read" if parse(text) else "nothing"
    except PatchRefusal as refusal:
        return str(refusal)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.text(st.characters(categories=["Cs", "L", "Z"]))))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    result = read_or_refused(text)
    assert result == "read" or "Nothing was changed." in result


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("\n".join))
def test_any_mixture_of_header_lines_is_read_or_refused(text: str) -> None:
    result = read_or_refused(text)
    assert result == "read" or "Nothing was changed." in result


def test_well_formed_diff_is_read_as_unidiff_reads_it() -> None:
    patch = (
        "diff --git a/x.py b/x.py\nindex 1111111..2222222 100644\n--- a/x.py\n+++ b/x.py\n"
        "@@ -1,3 +1,4 @@ def f():\n one\n-two\n+2\n+2.5\n three\n"
        "@@ -10 +11 @@\n-ten\n\\ No newline at end of file\n+TEN\n"
    )
    theirs = unidiff.PatchSet(patch)[0]
    (ours,) = parse(patch)
    assert [(hunk.old, hunk.new) for hunk in ours.hunks] == [
        (Span(hunk.source_start, hunk.source_length), Span(hunk.target_start, hunk.target_length))
        for hunk in theirs
    ]
    assert [(line.mark, line.text.decode()) for hunk in ours.hunks for line in hunk.lines] == [
        (line.line_type, line.value.rstrip("\n"))
        for hunk in theirs
        for line in hunk
        if line.line_type != "\\"
    ]


def names(patch: str) -> list[tuple[str | None, str | None]]:
    return [(change.old, change.new) for change in parse(patch)]


def test_names_lose_quotes_and_time_stamps() -> None:
    hunk = "\n@@ -1 +1 @@\n-x\n+y\n"
    assert names('--- "a/\\303\\251\\t.c"\n+++ "b/\\303\\251\\t.c"' + hunk) == [
        ("a/é\t.c", "b/é\t.c")
    ]
    stamp = "2024-01-02 03:04:05.000000000 +0100"
    assert names(f"--- a/x\t{stamp}\n+++ a/x {stamp}" + hunk) == [("a/x", "a/x")]
    assert names("--- a/two words\t\n+++ b/two words\t" + hunk) == [("a/two words", "b/two words")]


def test_emptied_file_with_the_time_of_no_file_is_deleted() -> None:
    stamp = "1970-01-01 01:00:00.000000000 +0100"
    (change,) = parse(f"--- a/x\t2024-01-02 03:04:05\n+++ b/x\t{stamp}\n@@ -1 +0,0 @@\n-x\n")
    assert change.action is Action.DELETE


def test_prose_and_fences_around_several_files_are_passed_over() -> None:
    one = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n"
    two = "--- a/z\n+++ b/z\n@@ -1,9 +1,9 @@\n-x\n+y\n"
    text = f"First:\n```diff\n{one}```\nThen\n- a list\n- of things\n\n~~~\n{two}~~~\n- done\n"
    first, second = parse(text)
    assert [len(hunk.lines) for change in (first, second) for hunk in change.hunks] == [2, 2]


def test_counts_one_too_large_do_not_swallow_the_next_file() -> None:
    one = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-x\n+y\n"
    two = "--- a/z\n+++ b/z\n@@ -1 +1 @@\n-x\n+y\n"
    assert names(one + two) == [("a/x", "b/x"), ("a/z", "b/z")]


def test_removed_line_that_looks_like_a_header_stays_in_its_hunk() -> None:
    head = "diff --git a/x b/x\n--- a/x\n+++ b/x\n"
    (change,) = parse(f"{head}@@ -1 +1 @@\n--- a/q\n+++ b/q\n@@ -9 +9 @@\n-x\n+y\n")
    assert [line.text for line in change.hunks[0].lines] == [b"-- a/q", b"++ b/q"]


def test_signature_of_a_mailed_patch_is_no_removed_line() -> None:
    (change,) = parse("--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-x\n+y\n-- \n2.39.5\n\n")
    assert [line.text for line in change.hunks[0].lines] == [b"x", b"y"]


def test_line_without_a_mark_inside_a_hunk_is_refused() -> None:
    text = "--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n a\n-x\n+y\nlost its blank\n-p\n+q\n"
    assert "(malformed). Line 7" in read_or_refused(text)


def test_text_after_the_counted_end_that_may_belong_to_the_hunk_is_refused() -> None:
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n\n+ and more\n"
    assert "(malformed). Line 7" in read_or_refused(text)


def test_headers_without_numbers_keep_their_heading() -> None:
    head = "--- a/x\n+++ b/x\n"
    for line in ("@@ def f():", "@@ ... @@ def f():", "@@ @@ def f():", "@@ def f(): @@"):
        (change,) = parse(f"{head}{line}\n-x\n+y\n")
        assert change.hunks[0].old is None
        assert change.hunks[0].anchors == (b"def f():",)
    assert parse(f"{head}@@\n-x\n+y\n")[0].hunks[0].anchors == ()
    assert parse(f"{head}@@ ... @@\n-x\n+y\n")[0].hunks[0].anchors == ()


def test_begin_patch_block_with_every_kind_of_section() -> None:
    added, moved, deleted = parse(
        "Sure.\n*** Begin Patch\n*** Add File: n.py\n+one\n+\n*** Update File: x.py\n"
        "*** Move to: y.py\n@@ class A\n@@ def f\n ctx\n-old\n+new\n\n@@\n-p\n+q\n*** End of File\n"
        "*** Delete File: z.py\n*** End Patch\n"
    )
    assert (added.action, added.new) == (Action.ADD, "n.py")
    assert [line.text for line in added.hunks[0].lines] == [b"one", b""]
    assert (moved.action, moved.old, moved.new) == (Action.RENAME, "x.py", "y.py")
    assert [hunk.anchors for hunk in moved.hunks] == [(b"class A", b"def f"), ()]
    assert [hunk.at_end for hunk in moved.hunks] == [False, True]
    assert (deleted.action, deleted.old) == (Action.DELETE, "z.py")
