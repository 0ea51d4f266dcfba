"""Reads the corpus: replies as data, and the tools they are written for."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from agent_runner.provider.messages import wire_tools
from agent_runner.provider.salvage.offer import Offer, offer_of
from tools.docker_sh import ShellArguments
from tools.read_output import ReadArguments
from tools.swe_apply_patch import PatchArguments
from tools.swe_clone import CloneArguments
from tools.swe_install import InstallArguments
from tools.swe_pytest import PytestArguments
from tools.tool import Answer, Arguments, Tool
from tools.workbench import TaskWorkbench

HERE = Path(__file__).parent
HUGE = "".join(
    f"+line {number} of a long patch, with 'quotes' and <tags>\\n" for number in range(2_000)
)
ARGUMENTS: dict[str, type[Arguments]] = {
    "swe_clone": CloneArguments,
    "swe_install": InstallArguments,
    "docker_sh": ShellArguments,
    "swe_apply_patch": PatchArguments,
    "swe_pytest": PytestArguments,
    "read_output": ReadArguments,
}
CLOSABLE = frozenset({"swe_pytest", "read_output"})


def _calls(given: object) -> object:
    return (
        tuple((name, arguments) for name, arguments in given) if isinstance(given, list) else given
    )


class Case(BaseModel):
    """One reply.

    Attributes:
        say: its content.
        think: its `reasoning_content`.
        structured: its `tool_calls`.
        calls: what they have to be in the end, in order.
        broken: the tools whose calls have to reach the model as broken.
        lost: whether an attempt at a call has to be told.
        left: the text that has to stay; None for "" beside calls and all of it otherwise.
        thought: the reasoning that has to stay; None for what was given.
        ids: the ids that calls have to keep.
        repairs: the exact count of each kind; None for any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    say: str | None = None
    think: str | None = None
    structured: list[JsonValue] = []
    finish: str = "stop"
    calls: Annotated[tuple[tuple[str, dict[str, JsonValue]], ...], BeforeValidator(_calls)] = ()
    broken: tuple[str, ...] = ()
    lost: bool = False
    left: str | None = None
    thought: str | None = None
    ids: tuple[str, ...] = ()
    repairs: dict[str, int] | None = None

    @property
    def body(self) -> bytes:
        """The body of the HTTP answer."""
        message: dict[str, JsonValue] = {"role": "assistant", "content": self.say}
        if self.think is not None:
            message["reasoning_content"] = self.think
        if self.structured:
            message["tool_calls"] = self.structured
        choice: JsonValue = {"index": 0, "message": message, "finish_reason": self.finish}
        return json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode()


@dataclass(frozen=True)
class Filed:
    """A case and the file it is in."""

    file: str
    case: Case


def cases() -> list[Filed]:
    """Returns every case of every file."""
    return [
        Filed(path.stem, Case.model_validate(raw))
        for path in sorted(HERE.glob("*.yaml"))
        for raw in _filled(path)
    ]


def _filled(path: Path) -> list[dict[str, Any]]:
    """The file's cases; `@HUGE@` stands for 100 kB, as JSON writes them where that matters."""
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    filled = []
    for case in loaded:
        text = json.dumps(case)
        if "@HUGE@" in text:
            raw = HUGE.replace("\\n", "\n")
            said = case["say"]
            case["say"] = said.replace("@HUGE@", HUGE if '"@HUGE@"' in said else raw)
            ((name, arguments),) = case["calls"]
            case["calls"] = [[name, {key: raw for key in arguments}]]
        filled.append(case)
    return filled


async def offered() -> Offer:
    """Returns the six tools as a request offers them."""

    async def never(arguments: Arguments) -> Answer:
        raise AssertionError("the corpus calls nothing")

    async def ready() -> None:
        return None

    tools = [Tool(name, "does", schema, never, limit_s=1) for name, schema in ARGUMENTS.items()]
    schemas = await TaskWorkbench(tools, ready).list_tools()
    return offer_of(wire_tools(schemas), CLOSABLE)
