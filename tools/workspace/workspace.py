"""The workspace: a container with the project in it, and what tools do there."""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from tools.workspace.channels.channel import OUTPUT_LIMIT_BYTES, Command, Execution, Sink
from tools.workspace.container import Container
from tools.workspace.engine import Engine
from tools.workspace.faults import InfraFault
from tools.workspace.spec import ENV, PROJECT, WorkspaceSpec
from tools.workspace.start import running

DIFF_LIMIT_BYTES = 100_000_000
RESTORE_LIMIT_BYTES = 2_000_000_000
# The agent may have left configuration or hooks that would change what git answers.
PLAIN_GIT = (
    "git", "-c", "core.hooksPath=/dev/null", "-c", "core.attributesFile=/dev/null",
    "-c", "core.fsmonitor=false", "-c", "core.autocrlf=false", "-c", "diff.noprefix=false",
    "-c", "diff.mnemonicPrefix=false", "-c", "core.quotePath=true",
)  # fmt: skip
PLAIN_ENV = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
# The patch is worked out in a store of its own over the project's objects: there the agent's
# configuration, attributes, hooks and index are not known, and nothing of them can run.
STORE_ENV = {
    **PLAIN_ENV,
    "GIT_DIR": "/tmp/agent_runner.git",
    "GIT_WORK_TREE": PROJECT,
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{PROJECT}/.git/objects",
}
NEW_STORE = """
rm -rf "$GIT_DIR" && git init -q -b main --template= && mkdir -p "$GIT_DIR/info" || exit 1
[ ! -f .git/info/exclude ] || cp .git/info/exclude "$GIT_DIR/info/exclude"
"""


def without(archive: bytes, path: str) -> bytes:
    """The same tar archive without a path and all below it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as target:
        if archive:
            with tarfile.open(fileobj=io.BytesIO(archive)) as source:
                for entry in source:
                    if entry.name == path or entry.name.startswith(f"{path}/"):
                        continue
                    target.addfile(entry, source.extractfile(entry) if entry.isfile() else None)
    return buffer.getvalue()


class BrokenRepository(Exception):
    """The project's git store does not work any more; the message is git's."""


@dataclass(frozen=True)
class Workspace:
    """A running container made from an instance layer, and its specification."""

    container: Container
    spec: WorkspaceSpec
    engine: Engine

    async def run(
        self,
        *argv: str,
        timeout_s: float = 60.0,
        cwd: str = PROJECT,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        max_output_bytes: int = OUTPUT_LIMIT_BYTES,
        sink: Sink | None = None,
    ) -> Execution:
        """Runs a command in the project, in its environment."""
        everything = {**ENV, **(env or {})}
        command = Command(argv, cwd, everything, stdin, timeout_s, max_output_bytes)
        return await self.container.run(command, sink)

    async def shell(
        self, script: str, *, timeout_s: float, max_output_bytes: int = OUTPUT_LIMIT_BYTES,
        sink: Sink | None = None,
    ) -> Execution:  # fmt: skip
        """Runs a shell command as the agent would type it: bash where there is one."""
        choose = 'if command -v bash >/dev/null; then exec bash -c "$1"; fi; exec sh -c "$1"'
        return await self.run(
            "/bin/sh", "-c", choose, "sh", script,
            timeout_s=timeout_s, max_output_bytes=max_output_bytes, sink=sink,
        )  # fmt: skip

    async def diff(self) -> bytes:
        """The whole difference to the base commit, as `git add -A` sees it under `.gitignore`.

        The agent's own index, commits, branches and configuration make no difference.

        Raises:
            BrokenRepository: git does not work in the project any more.
        """
        steps = (
            ("/bin/sh", "-c", NEW_STORE),
            (*PLAIN_GIT, "read-tree", self.spec.commit),
            # Else `add` stores every file anew: git finds it there and touches its pack, and the
            # whole pack is copied up.
            (*PLAIN_GIT, "update-index", "-q", "--refresh"),
            (*PLAIN_GIT, "add", "-A", "--", "."),
        )
        for argv in steps:
            done = await self.run(*argv, env=STORE_ENV, timeout_s=300)
            if not done.ok:
                raise BrokenRepository(done.output.decode(errors="replace").strip()[-300:])
        options = ("--cached", "--binary", "--no-color", "--no-ext-diff", "--no-textconv")
        done = await self.run(
            *PLAIN_GIT, "diff", *options, self.spec.commit, "--",
            env=STORE_ENV, timeout_s=300, max_output_bytes=DIFF_LIMIT_BYTES,
        )  # fmt: skip
        if not done.ok or done.dropped_bytes:
            raise BrokenRepository(done.stderr.decode(errors="replace").strip()[-300:])
        return done.stdout

    async def collect(self) -> bytes:
        """The patch; where git or its store no longer work here, worked out in a fresh container.

        Raises:
            InfraFault: the container is gone.
        """
        try:
            return await self.diff()
        except BrokenRepository:
            return await self._diff_elsewhere()

    async def _diff_elsewhere(self) -> bytes:
        files = await self._files()
        clear = "find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +"
        spec = self.container.spec.sibling()
        async with running(self.engine, spec) as fresh:
            await fresh.check("/bin/sh", "-c", clear, cwd=PROJECT)
            await fresh.put_tar("/", files)
            return await Workspace(fresh, self.spec, self.engine).diff()

    async def _files(self) -> bytes:
        """The project without its git store, by the engine: nothing in the container is needed."""
        try:
            archive = await self.container.archive(PROJECT)
        except InfraFault:
            if not await self.container.is_running():
                raise
            return without(b"", "")  # the agent removed the directory itself
        return without(archive, f"{PROJECT.lstrip('/')}/.git")

    async def restore_store(self) -> None:
        """Puts the project's git store back as the instance layer has it; no file is touched."""
        await self.run("rm", "-rf", f"{PROJECT}/.git", cwd="/")
        await self.restore(f"{PROJECT}/.git")

    async def changed_files(self) -> tuple[str, ...]:
        """Paths that differ from the base commit, new ones included.

        Raises:
            BrokenRepository: git does not work in the project any more.
        """
        argv = ("diff", "--name-only", "-z", "--no-renames", self.spec.commit, "--")
        tracked = await self.run(*PLAIN_GIT, *argv, env=PLAIN_ENV)
        others = ("ls-files", "--others", "--exclude-standard", "-z")
        new = await self.run(*PLAIN_GIT, *others, env=PLAIN_ENV)
        if not (tracked.ok and new.ok):
            raise BrokenRepository(tracked.stderr.decode(errors="replace").strip()[-300:])
        names = (tracked.stdout + new.stdout).decode("utf-8", "surrogateescape").split("\0")
        return tuple(sorted({name for name in names if name}))

    async def restore(self, path: str = PROJECT) -> None:
        """Puts a directory back as the instance layer has it; files added since stay."""
        spec = self.container.spec.sibling()
        argv = ("tar", "-cf", "-", "-C", "/", path.lstrip("/"))
        command = Command(argv, timeout_s=300, max_output_bytes=RESTORE_LIMIT_BYTES)
        async with running(self.engine, spec) as pristine:
            done = await pristine.run(command)
        await self.container.put_tar("/", done.stdout)

    async def entries(self, paths: tuple[str, ...]) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
        """What lies at paths of the project, links not followed; nothing where nothing lies."""
        archive = await self.container.get(paths, PROJECT, DIFF_LIMIT_BYTES)
        found = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isfile() else None
                found[entry.name.rstrip("/")] = (entry, content.read() if content else b"")
        return found
