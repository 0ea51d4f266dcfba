"""Why a patch was refused: one code for each kind, the same in texts, records and the CLI."""

from enum import StrEnum

__all__ = ["Reason"]


class Reason(StrEnum):
    """The code of a refusal. Whatever the code, nothing was changed."""

    MALFORMED = "malformed"
    EMPTY = "empty"
    INCOMPLETE = "incomplete"
    NOTHING_TO_DO = "nothing-to-do"
    ALREADY_APPLIED = "already-applied"
    DOES_NOT_MATCH = "does-not-match"
    AMBIGUOUS = "ambiguous"
    WHITE_SPACE = "white-space-unclear"
    OVERSIZED = "oversized"
    OUTSIDE = "outside-project"
    THROUGH_LINK = "through-link"
    INTO_GIT = "into-git"
    BINARY = "binary"
    SUBMODULE = "submodule"
    FILE_EXISTS = "file-exists"
    FILE_MISSING = "file-missing"
    NOT_A_FILE = "not-a-file"
    NOT_WRITTEN = "not-written"
