"""The result of an episode, as `result.json` and the last line of stdout say it."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent_runner.errors import FaultKind, ProviderKind

SCHEMA_VERSION = 1


class Record(BaseModel):
    """What is written to a file: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """What became of an episode."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    INFRA_ERROR = "infra_error"
    PROVIDER_ERROR = "provider_error"
    INVALID_TASK = "invalid_task"
    INTERRUPTED = "interrupted"


class Termination(StrEnum):
    """Why the agent stopped; it never implies a verdict."""

    TESTS_PASSED = "tests_passed"
    TAIL_PATTERN = "tail_pattern"
    SUBMITTED = "submitted"
    GAVE_UP = "gave_up"
    MAX_TURNS = "max_turns"
    TIMEOUT = "timeout"
    TOKEN_BUDGET = "token_budget"
    COST_BUDGET = "cost_budget"
    CONTEXT_OVERFLOW = "context_overflow"


class TestList(Record):
    """Test ids by what became of them."""

    __test__: ClassVar[bool] = False  # no test class, whatever pytest makes of its name

    success: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()


ControlState = Literal["passed", "failed", "not_run"]


class Controls(Record):
    """Whether the task's own checks held on this machine: gold resolves, empty does not."""

    gold: ControlState = "not_run"
    empty: ControlState = "not_run"


class Grade(Record):
    """The verdict of a fresh container.

    `official` is the first run by the task's rules, `resolved` after a lone failure was run again
    (`reran` names it); `network` says whether the grading container's network was closed, `note`
    why a log that there was could not be read.
    """

    resolved: bool
    official: bool
    suspect: bool
    patch_applied: bool
    FAIL_TO_PASS: TestList
    PASS_TO_PASS: TestList
    exit_code: int | None
    network: Literal["closed", "open"]
    reran: tuple[str, ...] = ()
    controls: Controls = Controls()
    note: str = ""


class ErrorInfo(Record):
    """What went wrong outside the agent."""

    kind: FaultKind | ProviderKind | Literal["internal"]
    stage: str
    message: str
    retryable: bool


class RetriedUsage(Record):
    """Tokens and money of the replies that were thrown away and tried again.

    `uncounted` requests may have been billed, though nobody said for how many tokens: their replies
    were lost on the way, or came without counts. They are in no sum.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    uncounted: int = 0


class Usage(Record):
    """Tokens and money of an episode; null where the endpoint or the price table do not say.

    The tokens are those of the replies that were accepted, one per call; cached ones are part of
    the prompt's, reasoning ones part of the completion's. `retries` counts all requests beyond one
    per call, `retried` has the tokens of those that the endpoint counted. `cost_usd` is the whole
    bill as far as it was counted: accepted and retried replies together.
    """

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    cached_tokens: int | None = 0
    calls: int = 0
    retries: int = 0
    cost_usd: float | None = None
    reasoning_tokens: int | None = 0
    retried: RetriedUsage = RetriedUsage()


class ToolUse(Record):
    """Where an agent's turns went.

    Attributes:
        calls: how often each tool was called.
        failed: how many calls were answered with an error.
        refused_patches: how many of them were patches that were not applied.
        repeated: calls with the tool and arguments of an earlier one, and no patch in between.
        texts: turns without a call.
    """

    calls: dict[str, int] = {}
    failed: int = 0
    refused_patches: int = 0
    repeated: int = 0
    texts: int = 0


class NetworkEvidence(Record):
    """What was found by trying each way out from inside."""

    dns: Literal["closed", "open"]
    tcp: Literal["closed", "open"]
    udp: Literal["closed", "open"]


class ExploitHint(Record):
    """Something that could have made a verdict wrong; a hint, no proof."""

    kind: str
    turn: int | None
    where: str


class IsolationEvidence(Record):
    """What the agent's container was measured to hold and reach; null is "not measured"."""

    commits_after_base: int | None = None
    unreachable_objects: int | None = None
    foreign_git_stores: tuple[str, ...] | None = None
    network: NetworkEvidence | None = None
    hidden_tests_present: bool | None = None
    fresh_grader: bool | None = None
    exploit_hints: tuple[ExploitHint, ...] = ()


class Provenance(Record):
    """What this result was made with.

    `model_profile` is the resolved profile, with which of its keys were `learned` from the endpoint
    by `doctor --provider`; `recording` is its level, or why it stopped on the way.
    """

    agent_runner: str
    autogen: str | None = None
    openai: str | None = None
    engine: str | None = None
    solver: str
    base_commit: str | None = None
    layer_key: str | None = None
    image_digest: str | None = None
    prompt_sha256: str | None = None
    model_asked: str | None = None
    model_answered: str | None = None
    model_profile: dict[str, JsonValue] | None = None
    recording: str | None = None


class Result(Record):
    """One episode. The first seven keys come first, in this order."""

    task_id: str
    repo: str
    ref: str
    pytest_k: str
    status: Status
    duration_s: float
    tail: str
    termination: Termination | None
    grade: Grade | None
    error: ErrorInfo | None
    turns: int
    usage: Usage
    stages: dict[str, float]
    repairs: dict[str, int]
    isolation: IsolationEvidence
    patch_sha256: str | None
    provenance: Provenance
    tool_use: ToolUse = ToolUse()
    schema_version: int = Field(default=SCHEMA_VERSION)

    def compact(self) -> str:
        """One line of JSON."""
        return self.model_dump_json()

    @property
    def exit_code(self) -> int:
        """The exit code of a single run."""
        return EXIT_CODES[self.status]


EXIT_CODES = {
    Status.RESOLVED: 0,
    Status.UNRESOLVED: 1,
    Status.INFRA_ERROR: 3,
    Status.PROVIDER_ERROR: 3,
    Status.INVALID_TASK: 3,
    Status.INTERRUPTED: 130,
}
