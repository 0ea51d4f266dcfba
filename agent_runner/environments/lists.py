"""Which of a project's files are lists of requirements, and which of those its tests need."""

import re
from collections.abc import Mapping
from posixpath import normpath

LIST = re.compile(
    r"(?:requirements?|ci|tests?|deps|pip|etc|\.github|build_tools|tools|continuous_integration)"
    r"(?:/requirements)?/[^/]+\.(?:txt|in|ya?ml)|[^/]*requirements?[^/]*\.(?:txt|in)"
    r"|environment[^/]*\.ya?ml|[^/]*(?:dev|test)[^/]*\.txt"
)
FOLDER = re.compile(r"(?:.*/)?requirements?/")
# `test-requirements.txt`, `requirements_test.txt`, `requirements/tests.txt` and so on.
WORDS = re.compile(r"[^a-z0-9]+")
TESTS = frozenset({"test", "tests", "testing", "pytest"})
DEVELOPERS = frozenset({"dev", "develop", "development"})
INCLUDED = re.compile(r"^\s*-(?:r|c|-requirement|-constraint)[ =]*(\S+)", re.MULTILINE)


def readable_lists(paths: tuple[str, ...]) -> list[str]:
    """Files that may be lists of requirements or conda environments, by where they lie."""
    return [path for path in paths if LIST.fullmatch(path)]


def lists_for(words: frozenset[str], paths: tuple[str, ...]) -> tuple[str, ...]:
    """The shortest list of requirements whose name or folder has one of the words.

    One for each name without its ending: a `.in` beside its `.txt` is the same list, unpinned.
    """
    found: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (len(path.rpartition(".")[0]), path[-3:] == ".in")):
        if not path.endswith((".txt", ".in")) or not LIST.fullmatch(path):
            continue
        said = set(WORDS.split(path.rpartition(".")[0].lower()))
        named = FOLDER.match(path) or any(word.startswith("requirement") for word in said)
        if said & words and (named or path.partition(".")[0] in words):
            found.setdefault(path.rpartition(".")[0], path)
    return tuple(found.values())[:1]


def general_lists(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The lists of what a project needs that has no packaging to say so."""
    wanted = ("requirements.txt", "requirements.in", "requirements/base.txt")
    return tuple(path for path in wanted if path in paths)[:1]


def with_included(lists: tuple[str, ...], files: Mapping[str, str]) -> dict[str, str]:
    """Requirement lists and those they include, as far as they are there."""
    found: dict[str, str] = {}
    todo = list(lists)
    while todo:
        path = todo.pop()
        if path in found or path not in files:
            continue
        found[path] = files[path]
        todo += includes(path, found[path])
    return found


def includes(path: str, text: str) -> list[str]:
    """The paths that a list of requirements includes; they are relative to its own folder."""
    if not path.endswith((".txt", ".in", ".pip")):
        return []
    folder = path.rpartition("/")[0]
    return [normpath(f"{folder}/{name}").lstrip("/") for name in INCLUDED.findall(text)]


def lines_of(text: str) -> tuple[str, ...]:
    """The requirement lines of a list, without options and comments."""
    lines = (line.partition(" #")[0].strip() for line in text.split("\n"))
    return tuple(line for line in lines if line and line[0] not in "#-")
