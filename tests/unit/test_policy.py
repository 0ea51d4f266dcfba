"""From a configuration to the conditions that end an episode."""

from dataclasses import dataclass, field

import pytest
from autogen_agentchat.messages import TextMessage, ToolCallExecutionEvent
from autogen_core.models import FunctionExecutionResult

from agent_runner.config import RunConfig
from agent_runner.policy import is_test_file, policy
from agent_runner.task import Task
from agent_runner.termination import Messages
from tools.testruns.outcome import Counts, Outcome, TestRun
from tools.tool import Answer
from tools.workspace.workspace import BrokenRepository, Workspace

TASK = Task(task_id="a", repo="r", FAIL_TO_PASS=("t.py::a",), test_paths=("checks/special.py",))
TEXT: Messages = [TextMessage(content="hm", source="engineer")]
SUBMIT: Messages = [TextMessage(content="TERMINATE", source="engineer")]


@dataclass(frozen=True)
class Edited(Workspace):
    """A workspace of which only the changed files matter."""

    files: tuple[str, ...] | None = ()

    def __init__(self, files: tuple[str, ...] | None = ()) -> None:
        object.__setattr__(self, "files", files)

    async def changed_files(self) -> tuple[str, ...]:
        if self.files is None:
            raise BrokenRepository("no store")
        return self.files


@dataclass
class Book:
    """Answers by call id."""

    kept: dict[str, Answer] = field(default_factory=dict)

    def turn(self, outcome: Outcome, text: str = "") -> Messages:
        name = f"c{len(self.kept)}"
        outcomes = {"t.py::a": outcome}
        run = TestRun(outcomes, Counts.of([outcome]), "report", 0, "")
        self.kept[name] = Answer(text, test_run=run)
        result = FunctionExecutionResult(
            content=text, name="swe_pytest", call_id=name, is_error=False
        )
        return [ToolCallExecutionEvent(content=[result], source="engineer")]


class Ending:
    """The policy of a configuration, over a book of answers."""

    def __init__(
        self, settings: dict[str, object] | None = None, task: Task = TASK,
        files: tuple[str, ...] | None = (),
    ) -> None:  # fmt: skip
        self.book = Book()
        config = RunConfig.model_validate(settings or {})
        self.condition = policy(config, task, Edited(files), self.book.kept.get)

    async def of(self, turn: Messages) -> str | None:
        stop = await self.condition(turn)
        return stop.content if stop else None


async def test_without_settings_it_ends_by_tests_text_or_turns() -> None:
    ending = Ending()
    assert await ending.of(ending.book.turn(Outcome.FAILED)) is None
    assert await ending.of(ending.book.turn(Outcome.PASSED)) == "tests_passed"
    assert await Ending().of(SUBMIT) == "submitted"
    many = Ending({"termination": {"max_turns": 3}})
    assert [await many.of(many.book.turn(Outcome.FAILED)) for _ in range(3)] == [
        None,
        None,
        "max_turns",
    ]


async def test_what_fires_together_is_named_in_the_order_of_the_policy() -> None:
    last = Ending({"termination": {"max_turns": 1}})
    assert await last.of(SUBMIT) == "submitted, max_turns"
    silent = Ending({"termination": {"nudges": 0, "max_turns": 1}})
    assert await silent.of(TEXT) == "gave_up, max_turns"


@pytest.mark.parametrize(
    ("settings", "task"),
    [
        ({}, TASK.model_copy(update={"test_patch": "diff"})),
        ({}, TASK.model_copy(update={"FAIL_TO_PASS": ()})),
        ({"termination": {"tests_passed": False}}, TASK),
    ],
)
async def test_tests_passed_is_for_visible_ids_only(
    settings: dict[str, object], task: Task
) -> None:
    ending = Ending(settings, task)
    assert await ending.of(ending.book.turn(Outcome.FAILED)) is None
    assert await ending.of(ending.book.turn(Outcome.PASSED)) is None


@pytest.mark.parametrize(
    ("files", "ends"),
    [
        ((), None),
        (("tests/test_a.py", "conftest.py", "src/a_test.py"), None),
        (("t.py",), None),
        (None, None),
        (("src/a.py", "tests/test_a.py"), "tail_pattern"),
        (("contest.py",), "tail_pattern"),
    ],
)
async def test_a_tail_pattern_needs_a_change_that_is_no_test(
    files: tuple[str, ...] | None, ends: str | None
) -> None:
    ending = Ending({"termination": {"tail_pattern": ["all good"]}}, files=files)
    assert await ending.of(ending.book.turn(Outcome.PASSED, "all good")) == ends


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/data.json", True),
        ("pkg/testing/x.py", True),
        ("test_a.py", True),
        ("pkg/a_test.py", True),
        ("pkg/conftest.py", True),
        ("pkg/attest.py", False),
        ("latest/a.py", False),
        ("tests", False),
    ],
)
def test_test_files_are_told_by_pytests_conventions(path: str, is_test: bool) -> None:
    assert is_test_file(path) is is_test
