"""What is to be written when a patch applies."""

from dataclasses import dataclass

from tools.patching.change import Action

__all__ = ["FileOutcome", "Plan", "Write"]


@dataclass(frozen=True)
class Write:
    """A file to be there afterwards.

    Attributes:
        path: below the project's root, parts joined by `/`.
        data: its bytes; the target, where it is a link.
        executable: whether it is to be executable; its other permissions stay as they are.
        link: whether it is a symbolic link.
    """

    path: str
    data: bytes
    executable: bool = False
    link: bool = False


@dataclass(frozen=True)
class FileOutcome:
    """What happens to one file.

    Attributes:
        path: the file afterwards, or the deleted one.
        action: what happens.
        source: where a renamed or copied file comes from, else None.
        added_lines, removed_lines: as the patch counts them.
        how: `exact`, or any of `offset N`, `fuzz N`, `recounted`, `by context`, `whitespace`.
    """

    path: str
    action: Action
    source: str | None
    added_lines: int
    removed_lines: int
    how: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All that a patch does: everything of it is to be done, or nothing.

    Attributes:
        files: in the order of the patch.
        writes: files to write, whole; new directories are made for them.
        deletes: paths to remove first; directories that they leave empty go too, as with git.
    """

    files: tuple[FileOutcome, ...]
    writes: tuple[Write, ...]
    deletes: tuple[str, ...]

    @property
    def renames(self) -> tuple[tuple[str, str], ...]:
        """Old and new path of every renamed file; they stand in `writes` and `deletes` too."""
        return tuple(
            (outcome.source, outcome.path)
            for outcome in self.files
            if outcome.source is not None and outcome.action is Action.RENAME
        )
