"""One line of `results.jsonl`: an episode's result, and its place in the batch."""

from datetime import datetime

from agent_runner.result import Result, Status

AGAIN = frozenset({Status.INFRA_ERROR, Status.PROVIDER_ERROR, Status.INTERRUPTED})
"""What says nothing of the agent: outside the success rate, and run again by `--resume`."""


class Entry(Result):
    """A result with all that a summary needs, so that one can be made from these lines alone.

    Attributes:
        attempt: of the task, from 1.
        tries: how often the episode was begun, this time included.
        episode: hash of what determines it (task, prompt, model, tools, termination, limits,
            layers, attempt); "" where its layers were never known.
        planned: how many episodes the whole batch has.
        directory: its name below `episodes/`.
        category, difficulty: of the task; "" where it names none.
        started_at, ended_at: of this try, in UTC.
    """

    attempt: int
    tries: int
    episode: str
    planned: int
    directory: str
    category: str
    difficulty: str
    started_at: datetime
    ended_at: datetime

    @property
    def key(self) -> tuple[str, int]:
        """Which episode it is of."""
        return self.task_id, self.attempt

    @property
    def counts(self) -> bool:
        """Whether it says something about the agent."""
        return self.status in {Status.RESOLVED, Status.UNRESOLVED}
