"""Which tests a run was asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """What was asked of pytest, to explain a result and to read ids that are ambiguous in a log.

    Attributes:
        paths: files, directories or node ids relative to the project; empty for the default.
        k: the expression given to `-k`; empty for none.
        expected: node ids the task names; they need not be complete (see `node_id.look_up`).
    """

    paths: tuple[str, ...] = ()
    k: str = ""
    expected: tuple[str, ...] = ()
