"""`swe_apply_patch`: applies what a model wrote as a diff to the project, all of it or nothing."""

import asyncio
import posixpath
import shlex
import stat
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from tools.patching import (
    Entry,
    PatchLimits,
    PatchRefusal,
    Plan,
    Reason,
    candidate_paths,
    parse,
    plan,
    success_text,
)
from tools.tool import Answer, Arguments, Tool
from tools.workspace.container import tar_of
from tools.workspace.spec import PROJECT
from tools.workspace.workspace import Workspace

STAGE = "/tmp/agent_runner-patch"
# One command in the container: through the engine the files would take fifty times as long.
UNPACK_AND_APPLY = (
    f"rm -rf {STAGE} && mkdir -p {STAGE} && tar -xf - -C {STAGE} && exec /bin/sh {STAGE}/apply.sh"
)


class PatchArguments(Arguments):
    """Arguments of `swe_apply_patch`."""

    patch: str = Field(
        description="A unified diff with paths from the project's root (--- a/FILE, +++ b/FILE)."
    )


@dataclass(frozen=True)
class SweApplyPatch:
    """Reads the files a patch names, works out the result outside, and writes it at once."""

    workspace: Workspace
    limits: PatchLimits

    def tool(self) -> Tool:
        """The tool as the workbench offers it."""
        return Tool(
            "swe_apply_patch",
            "Applies a unified diff to the project: several files, new, deleted and renamed ones. "
            "Nothing is changed unless all of it fits; says how it fitted, or what was expected "
            "and what is there.",
            PatchArguments,
            self.call,
            limit_s=300,
        )

    async def call(self, arguments: PatchArguments) -> Answer:
        """Applies one patch."""
        return await self.apply(arguments.patch.encode("utf-8", "surrogatepass"))

    async def apply(self, patch: bytes) -> Answer:
        """Applies one patch, as bytes.

        Raises:
            PatchRefusal: it was not applied and nothing was changed; the text says why.
        """
        changes = parse(patch, self.limits)
        tree = await self._read(candidate_paths(changes))
        planned = await asyncio.to_thread(plan, changes, tree, self.limits)
        await self._write(planned, tree)
        return Answer(success_text(planned), exit_code=0)

    async def _read(self, paths: tuple[str, ...]) -> dict[str, Entry]:
        parents = {parent for path in paths for parent in _parents(path)}
        found = await self.workspace.entries(tuple(sorted({*paths, *parents})))
        links = {name for name, (entry, _) in found.items() if entry.issym()}
        files = {name for name, (entry, _) in found.items() if entry.isfile()}
        tree = {}
        for path in paths:
            above = set(_parents(path))
            entry, content = found.get(path, (None, b""))
            tree[path] = _entry(entry, content, bool(above & links), bool(above & files))
        return tree

    async def _write(self, planned: Plan, tree: dict[str, Entry]) -> None:
        files = {str(number): write.data for number, write in enumerate(planned.writes)}
        archive = tar_of({**files, "apply.sh": _script(planned, tree)})
        done = await self.workspace.run("/bin/sh", "-c", UNPACK_AND_APPLY, stdin=archive)
        if not done.ok:
            text = done.output.decode(errors="replace").strip()[-500:]
            raise PatchRefusal(Reason.NOT_WRITTEN, "The files could not be written.", text)


def _parents(path: str) -> Iterable[str]:
    parent = posixpath.dirname(path)
    while parent:
        yield parent
        parent = posixpath.dirname(parent)


def _entry(
    entry: tarfile.TarInfo | None, content: bytes, link_above: bool, file_above: bool
) -> Entry:
    if entry is None:
        return Entry(link_above=link_above, file_above=file_above)
    if entry.issym():
        target = entry.linkname.encode("utf-8", "surrogateescape")
        return Entry("link", target, link_above=link_above, file_above=file_above)
    if not entry.isfile():
        return Entry("directory", link_above=link_above, file_above=file_above)
    executable = bool(entry.mode & stat.S_IXUSR)
    return Entry("file", content, executable, link_above, file_above)


def _script(planned: Plan, tree: dict[str, Entry]) -> bytes:
    """Writes everything, or puts everything back; a file keeps its permissions and owner."""
    touched = sorted({*planned.deletes, *(write.path for write in planned.writes)})
    there = [path for path in touched if tree.get(path, Entry()).kind != "missing"]
    remove_empty = "rmdir -p --ignore-fail-on-non-empty"
    folders = sorted({posixpath.dirname(path) for path in touched} - {""})
    lines = [
        f"cd {PROJECT} || exit 1",
        f"undo() {{ rm -f -- {_quoted(touched)}; tar -xf {STAGE}/before.tar; rm -rf {STAGE};",
        *(f"{remove_empty} -- {_quoted([folder])} 2>/dev/null;" for folder in folders),
        "}",
        f"tar -cf {STAGE}/before.tar --no-recursion -T /dev/null -- {_quoted(there)} || exit 1",
        "apply() {",
        "set -e",
    ]
    lines += [f"rm -f -- {_quoted([path])}" for path in planned.deletes]
    for number, write in enumerate(planned.writes):
        path, folder = _quoted([write.path]), _quoted([posixpath.dirname(write.path) or "."])
        lines.append(f"mkdir -p -- {folder}")
        if write.link:
            lines.append(f'ln -sfn -- "$(cat {STAGE}/{number})" {path}')
            continue
        lines.append(f"cat {STAGE}/{number} > {path}")
        before = tree.get(write.path, Entry())
        if write.executable != before.executable:
            lines.append(f"chmod {'+x' if write.executable else '-x'} -- {path}")
    for path in planned.deletes:
        folder = posixpath.dirname(path)
        if folder:
            lines.append(f"{remove_empty} -- {_quoted([folder])} 2>/dev/null || true")
    # `set -e` is ignored in a function that stands in a condition, hence the subshell.
    lines += ["}", "(apply)", f"if [ $? = 0 ]; then rm -rf {STAGE}; else undo; exit 1; fi"]
    return "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n"


def _quoted(paths: Iterable[str]) -> str:
    # `./` keeps a name that begins with a dash from being an option.
    return " ".join(shlex.quote(f"./{path}") for path in paths)
