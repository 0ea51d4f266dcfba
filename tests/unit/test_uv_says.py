"""What uv says where it fails: texts as it printed them."""

import pytest

from tools.workspace.packages.uv_says import (
    inconsistent,
    named,
    needed_by,
    not_built,
    reason,
    too_old,
    unreadable,
    uploaded_anew,
    wants_compiler,
)

ANEW = """\
error: No solution found when resolving dependencies
  cause: Because there are no versions of atomicwrites and you require atomicwrites>=1.0, we can \
conclude that your requirements are unsatisfiable.

hint: `atomicwrites` was filtered by `exclude-newer` to only include packages uploaded before \
2019-08-04T00:00:00Z. The latest version satisfying the requirement is v1.4.1, published at \
2022-07-08T18:31:40.459Z. Consider using `exclude-newer-package` to override the cutoff.
"""
TOO_NEW = ANEW.replace(
    "there are no versions of atomicwrites and", "there are no versions of x and"
)
NOT_BUILT = """\
error: Failed to build `pylibmc==1.6.1`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

         [stdout]
         running bdist_wheel

         [stderr]
         Warning: something
         error: command 'gcc' failed: No such file or directory

hint: Build failures usually indicate a problem with the package or the build environment
"""
OLD_STYLE = """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because only flask<3 is available and you require flask>=3,
      we can conclude that your requirements are unsatisfiable.
"""


def test_what_was_uploaded_again_is_known_with_its_day() -> None:
    assert uploaded_anew(ANEW) == {"atomicwrites": "2022-07-08"}
    # A release that is merely newer than the date is not.
    assert uploaded_anew(TOO_NEW) == {}
    assert (
        uploaded_anew(ANEW.replace("no versions of atomicwrites", "no versions of atomicwrites>=9"))
        == {}
    )
    assert uploaded_anew(NOT_BUILT) == {}


def test_an_explanation_names_what_it_is_about() -> None:
    names = frozenset({"atomicwrites", "packages", "numpy", "published"})
    assert named(ANEW, names) == {"atomicwrites"}
    assert named(NOT_BUILT, frozenset({"pylibmc"})) == set()
    assert named("No solution found: A_b.c[x]>=1 and", frozenset({"a-b-c"})) == {"a-b-c"}


def test_what_cannot_be_built_is_named() -> None:
    assert not_built(NOT_BUILT) == ["pylibmc"]
    assert not_built("error: Failed to download and build `a.b==1`") == ["a.b"]
    assert not_built(ANEW) == []


def test_a_version_that_contradicts_itself_is_named() -> None:
    said = "Because iniconfig==1.0.0 has inconsistent\n metadata and click depends on it"
    assert inconsistent(said) == {"iniconfig": "1.0.0"}


@pytest.mark.parametrize(
    ("said", "wants"),
    [
        (NOT_BUILT, True),
        ("unable to execute 'x86_64-linux-gnu-gcc': No such file or directory", True),
        ("sh: 1: cc: not found", True),
        ("configure: error: no acceptable C compiler found in $PATH", True),
        ("ModuleNotFoundError: No module named 'numpy'", False),
        ("fatal error: libmemcached/memcached.h: No such file or directory", False),
    ],
)
def test_a_missing_compiler_is_told_from_other_failures(said: str, wants: bool) -> None:
    assert wants_compiler(said) is wants


def test_a_reason_is_one_line_that_names_the_requirement() -> None:
    assert reason(OLD_STYLE) == (
        "No solution found when resolving dependencies: Because only flask<3 is available and you "
        "require flask>=3, we can conclude that your requirements are unsatisfiable."
    )
    told = reason(NOT_BUILT)
    assert told.startswith("Failed to build `pylibmc==1.6.1`")
    assert told.endswith("error: command 'gcc' failed: No such file or directory")
    assert "\n" not in told
    assert len(reason("x " * 9000)) <= 600


FORCED = """\
error: No solution found when resolving dependencies
  cause: Because pytest>=4.6.0,<=4.6.4 depends on py>=1.5.0 and requests depends on py==1.4.12, we \
can conclude that your requirements and pytest>=4.6.0,<=4.6.4 are incompatible.
"""


def test_what_a_forced_version_needs_is_told_from_what_others_need() -> None:
    assert needed_by(FORCED, frozenset({"pytest"})) == {"py": "1.5.0"}
    assert needed_by(FORCED, frozenset({"requests", "test"})) == {}
    assert needed_by(FORCED.replace("No solution found", "Failed"), frozenset({"pytest"})) == {}


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Because only asgiref<=3.3.1 is available and you require asgiref>=3.4.0", {"asgiref"}),
        ("Because there is no version of Black==22.3.0 and you require black==22.3.0", {"black"}),
        ("Because there are no versions of typing-extensions and a", {"typing-extensions"}),
        ("Because only the following versions of numpy are available:\n  numpy<=1.1", {"numpy"}),
        ("Because a==1 depends on\nb>2 and only b<=1\nis available, and there is no version of c>1",
         {"b", "c"}),
        ("Because pandas>=0.19.2 has invalid metadata and you require pandas>=0.19.2", {"pandas"}),
        ("Because all versions of a depend on b and pandas has invalid metadata", {"pandas"}),
        ("Because a==1 depends on b>2 and c==1 depends on b<2, we can conclude", set()),
        ("Because a==1 depends on b>2.\n\nhint: only c<=1 is available", set()),
    ],
)  # fmt: skip
def test_what_has_no_release_that_does(said: str, names: set[str]) -> None:
    assert too_old(f"No solution found when resolving dependencies:\n{said}") == names
    assert too_old(said) == set(), "something else failed"


def test_a_release_whose_metadata_uv_cannot_read_is_named() -> None:
    said = """
  x No solution found when resolving dependencies:
  Because pandas>=0.19.2 has invalid metadata and you require pandas>=0.19.2,
      we can conclude that your requirements are unsatisfiable.

      hint: Metadata for `pandas` (v0.23.4) could not be
            parsed:
  after parsing `2011`, found `k`, which is not part of a valid version
  pytz (>=2011k)
"""
    assert unreadable(said) == {"pandas": "0.23.4"}
    assert unreadable("Failed to build `pandas==0.23.4`") == {}
