"""What lists of requirements ask for, whatever form they have."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.workspace.packages.requirement_lists import Wanted, logical_lines, read_lists


def read(text: str, **more: str) -> Wanted:
    return read_lists(("r.txt",), {"r.txt": text, **more}, project="Own_Thing")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("pytest\n", ["pytest"]),
        ("\ufeffpytest >= 3 # why\r\n\r\n# nothing\n", ["pytest >= 3"]),
        ("a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nb\n", ["a==1", "b"]),
        ('greenlet==2 ; python_version < "3.11"', ['greenlet==2 ; python_version < "3.11"']),
        ("x[y,z]~=1.0 ; extra == 'q'", ["x[y,z]~=1.0 ; extra == 'q'"]),
        ("old>=1.0.*", ["old>=1.0.*"]),
        ("--index-url https://host/simple\n-f dir\n--no-binary :all:\n--pre\na", ["a"]),
        ("own.thing[test]>=2\nowns", ["owns"]),
    ],
)
def test_requirements_are_read_without_what_pip_alone_knows(text: str, lines: list[str]) -> None:
    assert read(text).lines == lines


def test_included_lists_count_and_constraints_add_nothing() -> None:
    files = {
        "requirements/test.txt": "-r base.txt\n-c pins.txt\n--requirement=../more.txt\na",
        "requirements/base.txt": "-r test.txt\nb",
        "requirements/pins.txt": "c<2\n-r deep.txt",
        "requirements/deep.txt": "d<2",
        "more.txt": "e",
    }
    found = read_lists(("requirements/test.txt",), files)
    assert sorted(found.lines) == ["a", "b", "e"]
    assert sorted(found.bounds) == ["c<2", "d<2"]
    assert found.skipped == []


@pytest.mark.parametrize(
    ("text", "extras"), [("-e .", []), (".", []), ("-e .[test, dev]", ["test", "dev"]),
                         ("'.[x]'", ["x"]), ("./[x]", ["x"])],
)  # fmt: skip
def test_the_project_itself_is_not_asked_for_but_its_extras_are(
    text: str, extras: list[str]
) -> None:
    found = read(text)
    assert (found.lines, found.extras, found.skipped) == ([], extras, [])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("git+https://github.com/a/b.git@main#egg=thing", "thing"),
        ("-e git+ssh://git@host/a/b#subdirectory=x&egg=thing[extra]", "thing"),
        ("thing @ git+https://host/a/b", "thing"),
        ("thing@https://host/thing-1.tar.gz", "thing"),
    ],
)
def test_what_comes_from_an_address_is_taken_from_the_index_if_it_has_it(
    text: str, name: str
) -> None:
    found = read(text)
    assert (found.lines, found.optional) == ([], [name])
    assert "is taken from the index" in found.skipped[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("git+https://host/a/b", "neither a name"),
        ("https://host/a.tar.gz", "neither a name"),
        ("./vendored/thing", "a local path"),
        ("-e ../other", "a local path"),
        ("file:///opt/thing", "a local path"),
        ("Own-Thing==3", "the project itself"),
        ("own_thing @ git+https://host/own", "the project itself"),
        ("-r absent.txt", "there is no such list"),
    ],
)
def test_what_is_left_out_has_a_reason(text: str, reason: str) -> None:
    found = read(text)
    assert (found.lines, found.optional) == ([], [])
    assert reason in found.skipped[0]


@given(st.text(max_size=200))
def test_no_list_is_too_strange_to_read(text: str) -> None:
    found = read(text)
    assert all("\n" not in line and line.strip() for line in found.lines + found.bounds)
    assert all(not line.startswith(("-", "#", ".", "/")) for line in found.lines)


PLAIN = st.tuples(
    st.sampled_from(string.ascii_lowercase),
    st.text(string.ascii_lowercase + string.digits, max_size=5),
    st.sampled_from(["", *(f"=={digit}" for digit in string.digits)]),
).map("".join)


@given(st.lists(PLAIN))
def test_plain_lines_come_through_as_they_are(lines: list[str]) -> None:
    assert list(logical_lines("\n".join(lines))) == lines
    assert read("\n".join(lines)).lines == lines
