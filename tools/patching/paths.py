"""Which paths of the project the names of a patch mean, and which are never touched."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.patching.change import Action, FileChange
from tools.patching.entry import Entry
from tools.patching.names import rooted
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = ["Target", "candidate_paths", "check_path", "resolve"]

# git-diff(1): a/ and b/, or those of diff.mnemonicPrefix.
_PREFIXES = frozenset("abciow")
# Names that some file system takes for `.git` (CVE-2014-9390): blanks, dots, the short name.
_GIT = re.compile(r"(?:\.git|git~\d)(?:[ .:].*)?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_IGNORED = dict.fromkeys(map(ord, "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff"))


@dataclass(frozen=True)
class Target:
    """The paths that a file change means; `old` is None for an added, `new` for a deleted file."""

    old: str | None
    new: str | None


def candidate_paths(changes: Sequence[FileChange]) -> tuple[str, ...]:
    """Every path that `plan` may ask for, sorted; none of them leads outside the project."""
    found: set[str] = set()
    for change in changes:
        for name in filter(None, (change.old, change.new, *(change.pair or ()))):
            found.update((*_forms(name), rooted(_tidy(name))))
            if len(_forms(name)) > 1:
                found.add(_tidy(name).partition("/")[0])
    return tuple(sorted(path for path in found if _unsafe(path) is None))


def check_path(path: str) -> None:
    """Refuse a path that no patch may touch.

    Raises:
        PatchRefusal: it is absolute, leads upwards, names no file, or lies in a `.git`.
    """
    reason = _unsafe(path)
    if reason is Reason.INTO_GIT:
        raise PatchRefusal(reason, f"{path}: a patch may not touch git's own files.")
    if reason:
        raise PatchRefusal(reason, f"{path or 'An empty name'}: not a path inside the project.")


def resolve(
    changes: Sequence[FileChange], tree: Mapping[str, Entry]
) -> tuple[tuple[FileChange, Target], ...]:
    """Say for each change which paths it means, prefixed or not.

    Where a name can be read with and without a prefix, the files that exist decide; where these
    leave both open, the other names of the patch do.

    Raises:
        PatchRefusal: two readings are equally good, or a path may not be touched.
    """
    prefixed = _style(changes)
    resolved = []
    for change in changes:
        target = _target(change, tree, prefixed)
        for path in filter(None, (target.old, target.new)):
            check_path(path)
        if target.new and target.new != target.old and "\\" in target.new:
            raise PatchRefusal(
                Reason.OUTSIDE, f"{target.new}: the parts of a path are joined by `/`."
            )
        resolved.append((change, target))
    return tuple(resolved)


def _tidy(name: str) -> str:
    while name.startswith("./"):
        name = name[2:]
    return name


def _unsafe(path: str) -> Reason | None:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or _DRIVE.match(path) or "\0" in path:
        return Reason.OUTSIDE
    if any(_GIT.fullmatch(part.translate(_IGNORED)) for part in parts):
        return Reason.INTO_GIT
    return None


def _forms(name: str) -> tuple[str, ...]:
    """The name as it stands and, where it begins with a prefix, without it."""
    name = _tidy(name)
    first, _, rest = name.partition("/")
    return (name, rest) if first in _PREFIXES and rest else (name,)


def _style(changes: Sequence[FileChange]) -> bool | None:
    """Whether the patch's names carry prefixes; None where that cannot be told."""
    seen: set[bool] = set()
    for change in changes:
        old, new = change.pair or (change.old or "", change.new or "")
        if change.literal and not change.pair:
            continue
        if not old or not new:
            continue
        first, second = old.partition("/")[0], new.partition("/")[0]
        if first != second and {first, second} <= _PREFIXES and rooted(old) == rooted(new):
            seen.add(True)
        elif old == new and first not in _PREFIXES:
            seen.add(False)
    return seen.pop() if len(seen) == 1 else None


def _target(change: FileChange, tree: Mapping[str, Entry], prefixed: bool | None) -> Target:
    def there(path: str) -> bool:
        return tree.get(path, Entry()).kind != "missing"

    if change.action is Action.ADD:
        return Target(None, _new_path(change, there, prefixed))
    if change.action is Action.DELETE:
        forms = _own_forms(change, change.old or "")
        return Target(_one_path(forms, there, False if change.literal else prefixed), None)
    old, new = change.old or "", change.new or ""
    same = [form for form in _forms(old) if form in _forms(new)]
    if change.action is Action.MODIFY and not same and rooted(old) == rooted(new) != old:
        if there(rooted(old)) and there(old):
            raise _unclear((old, rooted(old)))
        same = [] if there(old) else [rooted(old)]
    if same and change.action is Action.MODIFY:
        path = _one_path(tuple(same), there, False if change.literal else prefixed)
        return Target(path, path)
    return _two_paths(old, new, there, prefixed, literal=change.literal)


def _own_forms(change: FileChange, name: str) -> tuple[str, ...]:
    """The forms of a lone name; both names of a `diff --git` line leave one where they differ."""
    if change.pair and change.pair[0] != change.pair[1]:
        same = [form for form in _forms(change.pair[0]) if form in _forms(change.pair[1])]
        if len(same) == 1 and same[0] in _forms(name):
            return tuple(same)
    return _forms(name)


def _new_path(change: FileChange, there: Callable[[str], bool], prefixed: bool | None) -> str:
    name = change.new or ""
    forms = _own_forms(change, name)
    if len(forms) == 1:
        return forms[0]
    if change.literal:
        # No prefix belongs here, but where no such directory is, it may be one all the same.
        for form in forms:
            check_path(form)
        if there(forms[0].partition("/")[0]):
            return forms[0]
        raise _unclear(forms)
    if prefixed is not None:
        return forms[1] if prefixed else forms[0]
    if there(forms[0].partition("/")[0]):
        raise _unclear(forms)
    return forms[1]


def _one_path(forms: tuple[str, ...], there: Callable[[str], bool], prefixed: bool | None) -> str:
    existing = [form for form in forms if there(form)]
    if len(existing) == 1:
        return existing[0]
    if len(forms) == 1 or prefixed is not None:
        return forms[-1] if prefixed else forms[0]
    if existing:
        raise _unclear(forms)
    return forms[-1]


def _two_paths(
    old: str, new: str, there: Callable[[str], bool], prefixed: bool | None, *, literal: bool
) -> Target:
    """Paths of a change whose two names are not those of one file."""
    whole = Target(_tidy(old), _tidy(new))
    bare = Target(_forms(old)[-1], _forms(new)[-1])
    if whole == bare or (literal and there(_tidy(old))):
        return whole
    choices = [target for target in (whole, bare) if target.old and there(target.old)]
    if len(choices) == 2:
        if prefixed is None:
            raise _unclear(_forms(old))
        return bare if prefixed else whole
    return choices[0] if choices else bare


def _unclear(forms: tuple[str, ...]) -> PatchRefusal:
    return PatchRefusal(
        Reason.AMBIGUOUS, f"There is no telling whether {forms[0]} or {forms[-1]} is meant."
    )
