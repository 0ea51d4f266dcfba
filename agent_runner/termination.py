"""The policy that stops an agent: AutoGen termination conditions, combined with `|`."""

import re
from collections.abc import Awaitable, Callable, Sequence

from autogen_agentchat.base import TerminatedException, TerminationCondition
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    StopMessage,
    TextMessage,
    ToolCallExecutionEvent,
)

from agent_runner.result import Termination
from tools.testruns.tail import tail
from tools.tool import Answer

SUBMIT = "TERMINATE"
Answers = Callable[[str], Answer | None]
Messages = Sequence[BaseAgentEvent | BaseChatMessage]


class Condition(TerminationCondition):
    """A condition that fires once, with its reason as the stop message's content.

    AutoGen's contract: called with the messages since the last call; raises when it is called
    again after it fired; `reset` makes it as new.
    """

    reason: Termination

    def __init__(self) -> None:
        self._fired = False

    @property
    def terminated(self) -> bool:
        """Whether it fired."""
        return self._fired

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """Looks at one turn."""
        if self._fired:
            raise TerminatedException(f"{self.reason} was reached already")
        if not await self.met(messages):
            return None
        self._fired = True
        return StopMessage(content=self.reason, source=type(self).__name__)

    async def reset(self) -> None:
        """Makes it as new."""
        self._fired = False

    async def met(self, messages: Messages) -> bool:
        """Whether this turn meets the condition."""
        raise NotImplementedError


def _test_answers(messages: Messages, answers: Answers) -> list[Answer]:
    """The answers of this turn's `swe_pytest` calls, from the tool itself and not from text."""
    ids = [
        result.call_id
        for message in messages
        if isinstance(message, ToolCallExecutionEvent)
        for result in message.content
        if result.name == "swe_pytest"
    ]
    return [answer for name in ids if (answer := answers(name)) is not None]


class TestsPassed(Condition):
    """Every FAIL_TO_PASS id, seen failing earlier in this episode, passes in one `swe_pytest`."""

    __test__ = False
    reason = Termination.TESTS_PASSED

    def __init__(self, answers: Answers, fail_to_pass: Sequence[str]) -> None:
        super().__init__()
        self._answers = answers
        self._ids = frozenset(fail_to_pass)
        self._seen_failing: set[str] = set()

    async def met(self, messages: Messages) -> bool:
        """See the class."""
        for answer in _test_answers(messages, self._answers):
            run = answer.test_run
            if run is None or run.source != "report":
                continue
            passing = all(run.passed(name) for name in self._ids)
            if passing and self._ids <= self._seen_failing:
                return True
            self._seen_failing |= {name for name in self._ids if run.failed(name)}
        return False

    async def reset(self) -> None:
        """Forgets what was seen failing, too."""
        await super().reset()
        self._seen_failing.clear()


class TailPattern(Condition):
    """A pattern in the last lines of a `swe_pytest` result, once a non-test file has changed."""

    reason = Termination.TAIL_PATTERN

    def __init__(
        self,
        answers: Answers,
        patterns: Sequence[str],
        source_changed: Callable[[], Awaitable[bool]],
    ) -> None:
        super().__init__()
        self._answers = answers
        self._patterns = [re.compile(pattern, re.MULTILINE) for pattern in patterns]
        self._source_changed = source_changed

    async def met(self, messages: Messages) -> bool:
        """See the class."""
        for answer in _test_answers(messages, self._answers):
            end = tail(answer.text)
            if answer.test_run is None or not any(p.search(end) for p in self._patterns):
                continue
            if await self._source_changed():
                return True
        return False


class Submitted(Condition):
    """The model says it is done: `TERMINATE` alone on the last line of a text turn."""

    reason = Termination.SUBMITTED

    async def met(self, messages: Messages) -> bool:
        """See the class."""
        last = messages[-1] if messages else None
        if not isinstance(last, TextMessage):
            return False
        lines = last.content.strip().splitlines()
        return bool(lines) and lines[-1].strip() == SUBMIT


class GaveUp(Condition):
    """Text without a call, more often than it may be nudged."""

    reason = Termination.GAVE_UP

    def __init__(self, nudges: int) -> None:
        super().__init__()
        self._nudges = nudges
        self._texts = 0

    async def met(self, messages: Messages) -> bool:
        """See the class."""
        if messages and isinstance(messages[-1], TextMessage):
            self._texts += 1
        return self._texts > self._nudges

    async def reset(self) -> None:
        """Forgets the texts so far, too."""
        await super().reset()
        self._texts = 0


class MaxTurns(Condition):
    """So many turns."""

    reason = Termination.MAX_TURNS

    def __init__(self, turns: int) -> None:
        super().__init__()
        self._turns = turns
        self._left = turns

    async def met(self, messages: Messages) -> bool:
        """See the class."""
        self._left -= 1
        return self._left <= 0

    async def reset(self) -> None:
        """Counts from the start again."""
        await super().reset()
        self._left = self._turns
