"""What one model call leaves behind: its attempts, tokens, repairs and times."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

_VALUE = ConfigDict(frozen=True, extra="forbid")


class RepairKind(StrEnum):
    """What had to be mended before a reply could enter the history."""

    ANSWER_CUT = "answer_cut"
    ARGUMENTS_CLOSED = "arguments_closed"
    ARGUMENTS_CUT = "arguments_cut"
    ARGUMENTS_DOUBLED = "arguments_doubled"
    ARGUMENTS_EMPTY = "arguments_empty"
    ARGUMENTS_ENCODED = "arguments_encoded"
    ARGUMENTS_INVALID = "arguments_invalid"
    ARGUMENTS_JUNK = "arguments_junk"
    ARGUMENTS_LITERAL = "arguments_literal"
    ARGUMENTS_NOT_TEXT = "arguments_not_text"
    ARGUMENTS_RAW_CONTROL = "arguments_raw_control"
    ARGUMENTS_WRAPPED = "arguments_wrapped"
    CALL_ID_MISSING = "call_id_missing"
    CALL_ID_REPEATED = "call_id_repeated"
    CALL_IN_REASONING = "call_in_reasoning"
    CALL_IN_TEXT = "call_in_text"
    CALL_LOST = "call_lost"
    REASONING_IN_TEXT = "reasoning_in_text"
    TEXT_UNSENDABLE = "text_unsendable"
    TOOL_NAME = "tool_name"


class RepairStep(BaseModel):
    """One repair.

    Attributes:
        tool: the tool of the call it was made on, None where it was not made on a call.
        before: what stood there, bounded.
        why: of a call that was lost, what is wrong with it.
    """

    model_config = _VALUE

    kind: RepairKind
    tool: str | None
    before: str
    why: str | None = None


class Usage(BaseModel):
    """Tokens of one reply as the endpoint counted them; None where it did not say.

    `cached_tokens` are part of `prompt_tokens`, `reasoning_tokens` part of `completion_tokens`.
    """

    model_config = _VALUE

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Attempt(BaseModel):
    """One request on the wire.

    Attributes:
        status: HTTP status of the answer, None where none came.
        error: why the answer was of no use, None for the accepted one.
        duration_s: seconds from sending to the whole answer or its failure.
        waited_s: seconds it waited before that: for its turn at the gate, a pause, a retry.
        invocation_id: the endpoint's own id of the request, if it gave one.
        usage: tokens of the answer, also of one that was thrown away but counted.
        uncounted: it may have been billed, and nobody said for how many tokens.
    """

    model_config = _VALUE

    status: int | None
    error: str | None
    duration_s: float
    waited_s: float = 0.0
    invocation_id: str | None = None
    usage: Usage | None = None
    uncounted: bool = False


class CallRecord(BaseModel):
    """One model call: the accepted reply, if there was one, and every attempt made for it.

    Attributes:
        accepted: whether a reply came; False leaves the fields of the reply at their defaults.
        content: text of the reply, beside tool calls too.
        reasoning: what the endpoint gave as its reasoning.
        finish_reason: as the endpoint wrote it.
        model: the model that says it answered.
        repairs: how often each kind of repair was made.
        repair_steps: each of them, in their order.
        duration_s: seconds of the whole call, waiting included.
        throttle_wait_s: seconds of it for which the provider was late: all waits before attempts,
            and the attempts that failed. The rest is that of the answer.
        lowered_max_tokens: what the reply was shortened to, as the episode's budget had no room
            for more; None where it was not.
    """

    model_config = _VALUE

    attempts: tuple[Attempt, ...]
    accepted: bool
    duration_s: float
    throttle_wait_s: float
    lowered_max_tokens: int | None = None
    content: str = ""
    reasoning: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    invocation_id: str | None = None
    usage: Usage = Usage()
    repairs: dict[RepairKind, int] = {}
    repair_steps: tuple[RepairStep, ...] = ()
