"""pytest node ids: `path::Class::test[parameters]`, and the ones a benchmark cut short."""

from collections.abc import Mapping
from typing import TypeVar

V = TypeVar("V")


def is_complete(test_id: str) -> bool:
    """Whether the id has no parameters or ends where parameters can end."""
    return "[" not in test_id or test_id.endswith("]")


def look_up(recorded: Mapping[str, V], test_id: str) -> list[V]:
    """What is recorded for `test_id`; where that is a cut id, for all tests it may stand for.

    SWE-bench's log parsers end an id at its first white space, so `t.py::test[a b]` became
    `t.py::test[a` in FAIL_TO_PASS and PASS_TO_PASS. An id that is not recorded itself stands for
    the recorded ones that continue it: after white space where there are such, else, where it ends
    inside brackets, anywhere. Several tests may share a cut id.
    """
    if test_id in recorded:
        return [recorded[test_id]]
    longer = {key: value for key, value in recorded.items() if key.startswith(test_id)}
    at_space = [value for key, value in longer.items() if key[len(test_id)].isspace()]
    if at_space or is_complete(test_id):
        return at_space
    return list(longer.values())
