"""What a tool is: a name, arguments with a schema, and one answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from tools.testruns.outcome import TestRun

UNFIT = re.compile("[\0\ud800-\udfff]")


class Arguments(BaseModel):
    """The arguments of a tool; each field's description is what the model reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: object) -> object:
        """No command line takes a NUL or half a surrogate pair; a model can write both in JSON."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and UNFIT.search(text):
                raise ValueError("holds a NUL or half a surrogate pair; write it as an escape")
        return value


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
        closable: whether arguments that were cut off may be closed and run. Only for a tool that
            looks and changes nothing: half a selection is then shown, and can be asked for again.
    """

    name: str
    description: str
    arguments: type[Arguments]
    call: Callable[[Any], Awaitable[Answer]]
    limit_s: float
    closable: bool = False
