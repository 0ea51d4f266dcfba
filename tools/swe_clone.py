"""`swe_clone`: makes sure the task's repository is there, and says what is there."""

from dataclasses import dataclass

from pydantic import Field

from tools.errors import ToolRefusal
from tools.tool import Answer, Arguments, Tool
from tools.workspace.spec import LINK, PROJECT
from tools.workspace.workspace import PLAIN_ENV, PLAIN_GIT, BrokenRepository, Workspace

SHOWN_FILES = 60


class CloneArguments(Arguments):
    """Arguments of `swe_clone`."""

    repo: str = Field("", description="Leave empty: the task's repository.")
    ref: str = Field("", description="Leave empty: the task's ref.")


@dataclass(frozen=True)
class SweClone:
    """Idempotent; edits are never discarded."""

    workspace: Workspace

    def tool(self) -> Tool:
        """The tool as the workbench offers it."""
        return Tool(
            "swe_clone",
            "Makes sure the task's repository is at /workspace/project at the task's ref, and says "
            "what is there. Never discards edits.",
            CloneArguments,
            self.call,
            limit_s=600,
        )

    async def call(self, arguments: CloneArguments) -> Answer:
        """Checks, restores what is missing, and describes the project."""
        spec = self.workspace.spec
        asked = (arguments.repo or spec.repo, arguments.ref or spec.ref)
        if asked[0] != spec.repo or asked[1] not in {spec.ref, spec.commit}:
            raise ToolRefusal(
                f"only the task's own repository can be cloned: {spec.repo} at {spec.ref}. It is "
                f"at {LINK}; call swe_clone without arguments to see it."
            )
        restored = await self._restore_missing()
        changed = await self.workspace.changed_files()
        return Answer(await self._describe(restored, changed))

    async def _restore_missing(self) -> str:
        """Puts back a project or a git store that is gone; "" where all was there."""
        has_git = await self.workspace.run("test", "-d", f"{PROJECT}/.git", cwd="/")
        if has_git.ok:
            try:
                await self.workspace.changed_files()
            except BrokenRepository as error:
                return await self._restore_store(f"the git store was damaged ({error})")
            return ""
        has_project = await self.workspace.run("test", "-d", PROJECT, cwd="/")
        if has_project.ok:
            return await self._restore_store("the git store was gone")
        await self.workspace.restore()
        return "The project was gone; it was put back as at the ref.\n"

    async def _restore_store(self, why: str) -> str:
        await self.workspace.restore_store()
        return f"{why[0].upper()}{why[1:]}; it was put back. No file of yours was touched.\n"

    async def _describe(self, restored: str, changed: tuple[str, ...]) -> str:
        spec = self.workspace.spec
        listing = await self.workspace.run(*PLAIN_GIT, "ls-files", env=PLAIN_ENV)
        files = listing.stdout.decode("utf-8", "replace").splitlines()
        log = await self.workspace.run(*PLAIN_GIT, "log", "--oneline", "-3", env=PLAIN_ENV)
        top = sorted({name.split("/")[0] + ("/" if "/" in name else "") for name in files})
        shown = "  ".join(top[:SHOWN_FILES]) + (" ..." if len(top) > SHOWN_FILES else "")
        edits = f"changed since: {', '.join(changed[:20])}" if changed else "no changes yet"
        return (
            f"{restored}{spec.repo} at {spec.commit[:12]} is at {LINK}: {len(files)} files, "
            f"{edits}.\n{shown}\nLast commits:\n{log.stdout.decode('utf-8', 'replace').rstrip()}"
        )
