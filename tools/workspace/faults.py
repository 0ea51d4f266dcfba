"""What can go wrong with the world around a run: typed, no text for the model, no verdict."""

from enum import StrEnum


class FaultKind(StrEnum):
    """The part of the world that failed; the same words stand in `error.kind` of `result.json`."""

    ENGINE_UNAVAILABLE = "engine_unavailable"
    CONTAINER_LOST = "container_lost"
    HOST_DISK_FULL = "host_disk_full"
    IMAGE_UNAVAILABLE = "image_unavailable"
    MIRROR_FAILED = "mirror_failed"
    INDEX_UNREACHABLE = "index_unreachable"
    STAGE_TIMEOUT = "stage_timeout"


class InfraFault(Exception):
    """The world is not as it must be. Ends an episode as `infra_error`; the agent is not to blame.

    Attributes:
        kind: which part of the world failed.
        message: one line for a person, with what to do about it where that is known.
        retryable: whether the same run may succeed later with nothing changed by hand.
    """

    def __init__(self, kind: FaultKind, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retryable = retryable
