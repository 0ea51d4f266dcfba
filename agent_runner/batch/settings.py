"""The YAML of a batch: which tasks, how often, how each episode runs, and how many at once."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, model_validator

from agent_runner.config import EpisodeConfig, Limits, RunConfig, Section

AS_MANY_AS_IT_BEARS = 0


class SeedTasks(Section):
    """The tasks that come with the project."""

    type: Literal["seeds"] = "seeds"


class FileTasks(Section):
    """A file of task rows, one JSON object a line; a path is from the current directory."""

    type: Literal["file"]
    path: str


class DatasetTasks(Section):
    """A SWE-bench data set: a file, a directory, an alias or a name on Hugging Face."""

    type: Literal["dataset"]
    name: str
    split: str = "test"


Source = Annotated[SeedTasks | FileTasks | DatasetTasks, Discriminator("type")]


class Filter(Section):
    """Values a task must have one of; an empty list lets every task through."""

    repo: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    difficulty: tuple[str, ...] = ()


class Sample(Section):
    """So many tasks drawn without replacement; the same seed draws the same ones."""

    size: int = Field(ge=1)
    seed: int = 0


class Tasks(Section):
    """Which tasks: a source, then include, exclude, filter, sample and limit, in this order.

    Attributes:
        include: task ids, or patterns as in a shell; none means all.
        exclude: the same, taken away from what is included.
        limit: the first so many of what is left, in the order of the source.
    """

    source: Source
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    filter: Filter = Filter()
    sample: Sample | None = None
    limit: int | None = Field(None, ge=1)


class BatchLimits(Limits):
    """An episode's limits, and those of the whole batch.

    Attributes:
        batch_s: after so many seconds it pauses; `--resume` goes on.
        batch_tokens, batch_cost_usd: what all episodes together may use before it pauses.
    """

    batch_s: float | None = Field(None, gt=0)
    batch_tokens: int | None = Field(None, gt=0)
    batch_cost_usd: float | None = Field(None, gt=0)


class Local(Section):
    """This machine's process and its Docker engine.

    Attributes:
        concurrency: episodes at work at once, each in its container; 0 is as many as the machine
            bears. Meanwhile others are graded, and one is made ready.
        builds: layers built at once.
        gradings: fresh containers of gradings at once, controls included.
    """

    type: Literal["local"] = "local"
    concurrency: int = Field(AS_MANY_AS_IT_BEARS, ge=0)
    builds: int = Field(2, ge=1)
    gradings: int = Field(4, ge=1)


class Tries(Section):
    """How often an episode is begun again that the world or the provider ended."""

    infra: int = Field(3, ge=0)
    provider: int = Field(2, ge=0)


class BatchConfig(EpisodeConfig):
    """Everything that determines a batch."""

    tasks: Tasks
    attempts: int = Field(1, ge=1)
    limits: BatchLimits = BatchLimits()
    executor: Local = Local()
    retries: Tries = Tries()

    @model_validator(mode="after")
    def _can_be_played(self) -> Self:
        if self.solver == "patch":
            raise ValueError("solver: patch is for a single run; a batch has no patch of its own")
        return self

    def of(self, task_id: str, attempt: int) -> RunConfig:
        """The configuration of one episode.

        `{task_id}` and `{attempt}` in `recording` are replaced.
        """
        shared = self.model_dump(exclude={"tasks", "attempts", "executor", "retries"})
        limits = {name: shared["limits"][name] for name in Limits.model_fields}
        recording = self.recording
        if recording is not None:
            recording = recording.replace("{task_id}", task_id).replace("{attempt}", str(attempt))
        return RunConfig.model_validate(
            {**shared, "limits": limits, "recording": recording, "task_id": task_id}
        )
