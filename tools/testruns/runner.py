"""Which program runs a project's tests, and its command line where that is not pytest.

Some projects bring a runner of their own that pytest cannot stand in for. It is known by the place
and by the options of its script, and asked for one line per test, which its log is read by.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from tools.errors import ToolRefusal


class Runner(StrEnum):
    """What a log was printed by.

    RUNTESTS is a `tests/runtests.py` that takes dotted labels and prints what unittest prints;
    BIN_TEST a `bin/test` that takes files and ends with `tests finished: 3 passed, ...`.
    """

    PYTEST = "pytest"
    UNITTEST = "python -m unittest"
    RUNTESTS = "tests/runtests.py"
    BIN_TEST = "bin/test"


# The files to look at, and what stands in each that takes the options used below.
SCRIPTS = (Runner.RUNTESTS.value, Runner.BIN_TEST.value)
_NEEDED = {
    Runner.RUNTESTS: (b"--verbosity", b"--settings", b"--parallel"),
    Runner.BIN_TEST: (b"--verbose", b"--no-colors", b"--no-cache", b".test("),
}
# Stands in a script whose -k chooses by name; before, it meant `--keepdb` and ran everything.
CHOOSES_BY_NAME = b"test_name_patterns"
_WORD = re.compile(r"\w+")


def choose_runner(scripts: Mapping[str, bytes]) -> Runner:
    """The runner of a project that has these of the `SCRIPTS`, by path; pytest where none fits."""
    for runner, needed in _NEEDED.items():
        script = scripts.get(runner.value, b"")
        # A script of another language, or one that only hands on to pytest, is no such runner.
        if b"python" not in script.split(b"\n", 1)[0] or b"pytest" in script:
            continue
        if all(option in script for option in needed):
            return runner
    return Runner.PYTEST


def project_argv(runner: Runner, paths: Sequence[str], k: str, script: bytes) -> tuple[str, ...]:
    """The argument vector of a runner other than pytest, in the project's directory.

    Args:
        script: the runner's own; not every version takes every option.
        paths: files, directories, test ids or the runner's own labels; empty for all tests.
        k: words to choose tests by, joined with `or`; blank for none.

    Raises:
        ToolRefusal: the runner cannot be asked for that.
    """
    words = _words(k)
    if runner is Runner.RUNTESTS:
        if words and CHOOSES_BY_NAME not in script:
            raise ToolRefusal(
                "swe_pytest did not run: this project's own test runner cannot select by name."
                " Name tests in `paths`: tests/a/test_b.py::Class::test_c."
            )
        patterns = [option for word in words for option in ("-k", word)]
        options = ("--verbosity=2", "--parallel=1", *patterns)
        return ("python", runner.value, *options, *(_plain(_label(path)) for path in paths))
    if runner is Runner.BIN_TEST:
        # Its -k takes every word up to the next option, so the files must not follow it.
        options = (*_one_word(words, paths), "--verbose", "--no-colors", "--no-cache")
        files = [_plain(path.partition("::")[0].removeprefix("./")) for path in paths]
        return ("python", runner.value, *options, *dict.fromkeys(files))
    raise ValueError(f"{runner} has a command line of its own")


def _plain(word: str) -> str:
    """The word itself, where it can only be read as a file or a label."""
    if not word.strip() or "\0" in word or word.startswith(("-", "@")):
        raise ToolRefusal(f"swe_pytest did not run: {word!r} is not a path.")
    return word


def _one_word(words: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    """The option for the one word that `bin/test` takes, from an expression or from test ids."""
    names = {path.rpartition("::")[2].partition("[")[0] for path in paths if "::" in path}
    wanted = sorted({*words, *names})
    if len(wanted) > 1:
        raise ToolRefusal(
            "swe_pytest did not run: this project's bin/test takes files and one word of a test's"
            " name. Give `paths` without :: and one word as `k`."
        )
    return ("-k", *wanted) if wanted else ()


def _words(k: str) -> list[str]:
    """The words of an expression that only joins words with `or`."""
    words = [word.strip() for word in re.split(r"\bor\b", k)] if k.strip() else []
    if not all(_WORD.fullmatch(word) and word not in {"and", "not"} for word in words):
        raise ToolRefusal(
            f"swe_pytest did not run: this project's own test runner cannot select by {k!r}."
            " Give `k` as words joined with `or`, or name files in `paths`."
        )
    return words


def _label(path: str) -> str:
    """`tests/a/test_b.py::C::test_d` as the label `a.test_b.C.test_d`; a label stays as it is."""
    file, *names = path.removeprefix("./").split("::")
    if file in {"tests", "tests/"}:
        raise ToolRefusal(
            "swe_pytest did not run: `tests` is all of them; give no `paths` for that, or name"
            " directories in it."
        )
    file = file.removeprefix("tests/").removesuffix(".py").strip("/").replace("/", ".")
    return ".".join([file, *(name.partition("[")[0] for name in names)])
