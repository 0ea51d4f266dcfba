"""The workbench: how the agent's calls reach the tools, in order, recorded, never raising."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench
from pydantic import BaseModel, ValidationError

from tools.errors import ToolRefusal
from tools.tool import Answer, Tool
from tools.workspace.faults import InfraFault

INVALID_JSON = "__invalid_json__"
CUT_BY_LENGTH = "__cut_by_length__"


@dataclass(frozen=True)
class Call:
    """One tool call as it was made and answered."""

    id: str
    tool: str
    arguments: Mapping[str, object]
    answer: Answer
    duration_s: float


class NoConfig(BaseModel):
    """The workbench is built by code, from no component file."""


class TaskWorkbench(Workbench):
    """The tools of one episode.

    AutoGen hangs for ever when `call_tool` raises, and runs the calls of one reply at the same time
    (microsoft/autogen#7956): here nothing is raised and calls queue. What must end the episode is
    kept in `failure`, and the turn loop raises it.
    """

    component_type = "workbench"
    component_config_schema = NoConfig

    def __init__(self, tools: Sequence[Tool], ready: Callable[[], Awaitable[object]]) -> None:
        """Takes the tools, and what has to be over before the first of them may run."""
        self._tools = {tool.name: tool for tool in tools}
        # AutoGen asks before each model call and again for each tool call.
        self._schemas = [_schema(tool) for tool in tools]
        self._ready = ready
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self.calls: list[Call] = []
        self.failure: BaseException | None = None

    def answer(self, call_id: str) -> Answer | None:
        """The answer to a call, as the tool gave it: not text that a model can shape."""
        for call in reversed(self.calls):
            if call.id == call_id:
                return call.answer
        return None

    @property
    def closable(self) -> frozenset[str]:
        """The tools whose arguments may be closed where they were cut off."""
        return frozenset(tool.name for tool in self._tools.values() if tool.closable)

    async def list_tools(self) -> list[ToolSchema]:
        """The tools as the model reads them."""
        return list(self._schemas)

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Runs one call; every outcome but cancellation is an answer."""
        given = dict(arguments or {})
        with self._tracked():
            async with self._lock:
                started_s = time.monotonic()
                answer = Answer("the call was cut short", is_error=True)
                try:
                    answer = await self._answer(name, given)
                finally:
                    spent_s = round(time.monotonic() - started_s, 3)
                    self.calls.append(Call(call_id or "", name, given, answer, spent_s))
        content = TextResultContent(content=answer.text)
        return ToolResult(name=name, result=[content], is_error=answer.is_error)

    async def end_calls(self) -> None:
        """Ends the calls a cancelled turn leaves behind: AutoGen runs them in tasks of their own,
        which it does not cancel."""
        running = set(self._running)
        for call in running:
            call.cancel()
        if running:
            await asyncio.wait(running)

    @contextmanager
    def _tracked(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None, "a coroutine that runs has a task"
        self._running.add(task)
        try:
            yield
        finally:
            self._running.discard(task)

    async def _answer(self, name: str, arguments: dict[str, Any]) -> Answer:
        if self.failure is not None:
            return Answer("the episode is over", is_error=True)
        tool = self._tools.get(name)
        if tool is None:
            return Answer(f"there is no tool {name}; use {', '.join(self._tools)}", is_error=True)
        if INVALID_JSON in arguments:
            return Answer(_explain_broken(name, arguments), is_error=True)
        try:
            parsed = tool.arguments.model_validate(arguments)
            await self._ready()
            async with asyncio.timeout(tool.limit_s):
                answer: Answer = await tool.call(parsed)
                return answer
        except ValidationError as error:
            return Answer(_explain(tool, error), is_error=True)
        except ToolRefusal as error:
            return Answer(str(error), is_error=True)
        except TimeoutError:
            return Answer(f"{name} was given up after {tool.limit_s:g} s", is_error=True)
        except InfraFault as fault:
            self.failure = fault
        except Exception as bug:  # noqa: BLE001 - raised again by the turn loop, see the class
            self.failure = bug
        return Answer("the episode is over", is_error=True)

    async def start(self) -> None:
        """Nothing to start: the workspace is there."""

    async def stop(self) -> None:
        """Nothing to stop: whoever opened the workspace closes it."""

    async def reset(self) -> None:
        """Nothing to reset: the state is the workspace."""

    async def save_state(self) -> Mapping[str, Any]:
        """No state of its own."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """No state of its own."""

    def _to_config(self) -> NoConfig:
        return NoConfig()

    @classmethod
    def _from_config(cls, config: NoConfig) -> "TaskWorkbench":
        raise NotImplementedError("a workbench belongs to a workspace; build it in code")


def _schema(tool: Tool) -> ToolSchema:
    """A tool's schema without pydantic's titles, which only cost tokens."""
    schema = tool.arguments.model_json_schema()
    properties = {
        name: {key: value for key, value in field_schema.items() if key != "title"}
        for name, field_schema in schema.get("properties", {}).items()
    }
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": schema.get("required", []),
            "additionalProperties": False,
        },
    }


def _explain_broken(name: str, arguments: Mapping[str, object]) -> str:
    """What was wrong with arguments that are no JSON; the model client says so in their place."""
    if arguments.get(CUT_BY_LENGTH) is True:
        return (
            f"{name} was not called: your reply reached the limit of its length before the "
            "arguments ended. Nothing was run. Send the call again with less in it: think less "
            "before it, and give a long patch or file in several calls."
        )
    return (
        f"{name} was not called: its arguments were not valid JSON (cut off, or a quote "
        "not escaped?). Send the call again, complete."
    )


def _explain(tool: Tool, error: ValidationError) -> str:
    """What is wrong with the arguments, in the model's terms."""
    wrong = [
        f"{'.'.join(str(part) for part in item['loc']) or 'arguments'}: {item['msg']}"
        for item in error.errors()
    ]
    takes = ", ".join(tool.arguments.model_fields) or "no arguments"
    return f"{tool.name} was not called: {'; '.join(wrong)}. It takes {takes}."
