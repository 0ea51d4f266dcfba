"""What a tool is: a name, arguments with a schema, and one answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.testruns.outcome import TestRun


class Arguments(BaseModel):
    """The arguments of a tool; each field's description is what the model reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Answer:
    """What a tool says.

    Attributes:
        text: what the model reads: what happened, what the state is, what to try.
        is_error: whether what was asked could not be done.
        handle: names the full output for `read_output`; None where there is none.
        exit_code: of the command that was run; None where none was, or it was ended.
        test_run: what the tests did, for the termination policy.
    """

    text: str
    is_error: bool = False
    handle: str | None = None
    exit_code: int | None = None
    test_run: TestRun | None = None


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        limit_s: seconds after which a call is given up, far above the tool's own limits.
    """

    name: str
    description: str
    arguments: type[Arguments]
    call: Callable[[Any], Awaitable[Answer]]
    limit_s: float
