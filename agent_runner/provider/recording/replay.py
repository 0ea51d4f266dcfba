"""Answers out of a recording: the same attempts with the same ends, without their waits."""

from collections.abc import Callable
from typing import Literal

from pydantic import PrivateAttr

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.exchange import Answer, Sent
from agent_runner.provider.faults import AnswerFault
from agent_runner.provider.recording.difference import Difference, differences
from agent_runner.provider.recording.recording import RecordedExchange, Recording
from agent_runner.provider.retries import RetryPolicy

Mode = Literal["strict", "lenient"]
_ENDLESS = 1_000_000_000


class ReplayRetries(RetryPolicy):
    """Tries a call as often as it was tried then, and does not wait."""

    attempts: int = _ENDLESS
    unusable_attempts: int = _ENDLESS
    base_wait_s: float = 0.0
    max_wait_s: float = 0.0
    _source: "ReplaySource" = PrivateAttr()

    @classmethod
    def of(cls, source: "ReplaySource") -> "ReplayRetries":
        """Return the policy for what `source` plays."""
        policy = cls()
        policy._source = source
        return policy

    def patience_for_s(self, fault: ProviderFault | None) -> float:
        """Return 0 where the call was given up then, whyever."""
        return 0.0 if self._source.gave_up else float(_ENDLESS)


class ReplaySource:
    """Answers one episode, in the order in which it was recorded.

    A request that is not the recorded one ends the replay. `lenient` goes on where only results of
    tools differ, and tells of each once.

    Attributes:
        gave_up: whether the last attempt played was the last of its call.
    """

    def __init__(self, recording: Recording, mode: Mode, told: Callable[[str], None]) -> None:
        self._recording = recording
        self._mode = mode
        self._told = told
        self._passed: set[str] = set()
        self._next = 0
        self.gave_up = False

    async def ask(self, sent: Sent) -> Answer:
        """Return the recorded answer to `sent`.

        Raises:
            AnswerFault: none came then either, or the request differs, or the recording is over.
        """
        recorded = self._recorded()
        self._compare(recorded, sent)
        self._next += 1
        self.gave_up = recorded.last
        response = recorded.line.response
        if response is None:
            broke = recorded.line.broke or "no answer"
            raise AnswerFault(ProviderKind.UNAVAILABLE, broke, retryable=True)
        headers = {k: v for k, v in response.headers.items() if not k.startswith("retry-after")}
        return Answer(response.status, headers, response.body or b"")

    async def close(self) -> None:
        """Nothing is open."""

    def _recorded(self) -> RecordedExchange:
        exchanges = self._recording.exchanges
        if self._next < len(exchanges):
            return exchanges[self._next]
        end = exchanges[-1].line
        how = "its last line is cut off" if self._recording.cut else "the recorded run ended there"
        raise _ended(
            f"the recording {self._recording.path} ends after call {end.call}: {how}, and this run "
            "goes on"
        )

    def _compare(self, recorded: RecordedExchange, sent: Sent) -> None:
        then = (recorded.messages, recorded.settings)
        for found in differences(then, (sent.messages, sent.settings)):
            if self._mode == "strict" or not found.observation:
                raise _ended(self._words(recorded, found))
            if str(found) not in self._passed:
                self._passed.add(str(found))
                self._told(f"replay goes on, but at call {recorded.line.call} {found}")

    def _words(self, recorded: RecordedExchange, found: Difference) -> str:
        more = "; --set replay=lenient goes on past results of tools" if found.observation else ""
        return (
            f"the run differs from {self._recording.path} at call {recorded.line.call}, "
            f"{found}{more}"
        )


def _ended(message: str) -> AnswerFault:
    return AnswerFault(ProviderKind.REPLY, message, retryable=False)
