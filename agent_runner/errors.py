"""Errors by audience.

    UsageError      the person's mistake: one line on stderr, exit 2, nothing started
    InfraFault      the world (tools.workspace.faults): `infra_error`, exit 3
    ProviderFault   the model's endpoint: `provider_error`, exit 3
    ToolRefusal     the model's mistake (tools.errors): text in the next turn

A limit that was reached is a normal end and no error; anything else is a bug and keeps its
traceback.
"""

from enum import StrEnum

from tools.workspace.faults import FaultKind, InfraFault

__all__ = ["FaultKind", "InfraFault", "ProviderFault", "ProviderKind", "UsageError"]


class UsageError(Exception):
    """The command line, a YAML file or a file it names is wrong; the message is one clear line."""


class ProviderKind(StrEnum):
    """How the model's endpoint failed; the same words stand in `error.kind` of `result.json`."""

    AUTH = "provider_auth"
    QUOTA = "provider_quota"
    MODEL = "provider_model"
    UNAVAILABLE = "provider_unavailable"
    REPLY = "provider_reply"


class ProviderFault(Exception):
    """The endpoint did not give a usable reply. Ends an episode as `provider_error`.

    Attributes:
        kind: how it failed.
        message: one line for a person, with the endpoint's id of the call where it gave one.
        retryable: whether the same call may succeed later.
        status: the HTTP status of the last reply, None where there was none.
        invocation_id: the endpoint's own id of the call, None where it gave none.
    """

    def __init__(
        self,
        kind: ProviderKind,
        message: str,
        *,
        retryable: bool = False,
        status: int | None = None,
        invocation_id: str | None = None,
    ) -> None:
        # The id is what the endpoint's support asks for first.
        line = f"{message} [call {invocation_id}]" if invocation_id else message
        super().__init__(line)
        self.kind = kind
        self.message = line
        self.retryable = retryable
        self.status = status
        self.invocation_id = invocation_id
