"""Requirements a model may add, and those it may not."""

import io
import tarfile

import pytest

from tools.workspace.packages.wheels import Unresolvable, parse_requirements, with_prefix


def test_names_with_versions_extras_and_markers_are_taken() -> None:
    lines = ("attrs", "numpy >=1.20,<2", "requests[socks]==2.31 ; python_version > '3.8'")
    found = parse_requirements(lines, "thing")
    assert [requirement.name for requirement in found] == ["attrs", "numpy", "requests"]
    assert str(found[1].specifier) == "<2,>=1.20"
    assert parse_requirements((), "thing") == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("thing", "the project itself"),
        ("My_Thing==2.0", "the project itself"),
        ("my.thing[extra]", "the project itself"),
        ("x @ https://example.org/x.whl", "is an address"),
        ("x @ file:///testbed", "is an address"),
        ("git+https://example.org/x", "is not a package name"),
        ("-r requirements.txt", "is not a package name"),
        ("--index-url=https://example.org", "is not a package name"),
        ("./local", "is not a package name"),
        ("a; rm -rf /", "is not a package name"),
        ("", "is not a package name"),
    ],
)
def test_anything_else_is_refused_with_a_reason(line: str, said: str) -> None:
    project = "thing" if line == "thing" else "my-thing"
    with pytest.raises(Unresolvable, match=said):
        parse_requirements(("attrs", line), project)


def test_a_project_without_a_name_forbids_none() -> None:
    assert parse_requirements(("thing",), "")[0].name == "thing"


def test_an_archive_moves_below_a_directory() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("./"))
        entry = tarfile.TarInfo("./a-1.whl")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"abc"))
    moved = with_prefix(buffer.getvalue(), "/tmp/wheels")
    with tarfile.open(fileobj=io.BytesIO(moved)) as tar:
        assert tar.getnames() == ["tmp/wheels", "tmp/wheels/a-1.whl"]
        file = tar.extractfile("tmp/wheels/a-1.whl")
        assert file is not None
        assert file.read() == b"abc"
