"""How large a patch may be."""

from dataclasses import dataclass

__all__ = ["PatchLimits"]


@dataclass(frozen=True)
class PatchLimits:
    """The largest patch that is taken; anything above is refused as oversized.

    Attributes:
        max_bytes: size of the patch text, prose around it included.
        max_files: file sections in the patch.
        max_hunks: hunks over all files.
    """

    max_bytes: int = 1_048_576
    max_files: int = 200
    max_hunks: int = 2_000
