"""One grading run in a fresh container: apply, protect, run, read."""

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_runner.gates import Gate
from agent_runner.grading.apply import apply, run
from agent_runner.grading.canonical import RawLog, compose_failure, compose_log
from agent_runner.grading.network import OpenNetwork
from agent_runner.grading.recipe import Log, Reading, Recipe
from agent_runner.grading.script import PATH, compose
from tools.workspace.changes import changed_paths
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.scratch import scratch
from tools.workspace.spec import PROJECT
from tools.workspace.start import discard, start

LOG_LIMIT_BYTES = 200_000_000
PUT = ("/bin/sh", "-c", f"mkdir -p /agent_runner && cat > {PATH}")
TESTS = "/agent_runner/tests.diff"
APPLY_TESTS = (
    "/bin/sh", "-c",
    f"mkdir -p /agent_runner && cat > {TESTS} && exec git apply --verbose {TESTS}",
)  # fmt: skip
LOOK = ("/bin/sh", "-c", "ls /sys/class/net && git status --porcelain")
# What a test run, or the installation of the project, has no business to change.
SYSTEM = re.compile(
    r"^/(?:usr|bin|sbin|lib|lib64|opt/miniconda3)/|^/etc/(?:profile|bash|environment|ld\.so|sudo)"
    r"|^/root/\.(?:bash|profile)|^/opt/venv/bin/(?:python|pip|pytest|py\.test|tox|activate)"
    r"|/site-packages/(?:_?pytest|pluggy|sitecustomize|usercustomize)\b"
)
OWN = re.compile(r"^/opt/venv/bin/([^/]+)$|/site-packages/([^/]+?)-[^/-]+\.dist-info(?:/|$)")
CACHED = re.compile(r"__pycache__|\.pyc$")
# A test file that the base commit lacks comes with the hidden tests, or not at all.
SET_BACK = """
set -e
base=$1; shift
for path; do
  if git cat-file -e "$base:$path" 2>/dev/null; then git checkout -q "$base" -- "$path"
  else rm -rf -- "./$path"; fi
done
"""


class InvalidTask(Exception):
    """The task cannot be graded as it stands; the message says why."""


@dataclass(frozen=True)
class Ran:
    """What is known of a grading run beside what its log says.

    Attributes:
        container_id: of the container, which nothing else ran in.
        pristine: whether its tree was the base commit's before the patch.
        started: whether the tests did.
        installed: whether every install line of the script ended with 0.
        test_output: the end of what the tests printed, for people.
        script: as it was run, but for its markers.
        script_s: seconds it took.
        tampered: programs and start files of the image that are not as they were.
    """

    container_id: str
    pristine: bool
    network_closed: bool
    log: Log
    apply_output: bytes = b""
    started: bool = False
    installed: bool = True
    test_output: str = ""
    script: str = ""
    script_s: float = 0.0
    tampered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """A grading run, and what its log says by the benchmark's rules.

    Attributes:
        wall_s: seconds from before its container to after it.
    """

    ran: Ran
    reading: Reading
    wall_s: float = 0.0


@dataclass(frozen=True)
class Grader:
    """Where grading happens.

    Attributes:
        spec: how its containers are made: the instance layer, no network.
        timeout_s: for the script.
        open_network: how a container gets the package index; None where none may.
        project: the distribution's name; installing it changes what is its own.
        gate: how many grading containers there may be at once.
        waiting: told while there is no place.
    """

    engine: Engine
    spec: ContainerSpec
    commit: str
    timeout_s: float
    open_network: OpenNetwork | None = None
    project: str = ""
    gate: Gate = field(default_factory=Gate)
    waiting: Callable[[], object] | None = None

    async def attempt(
        self, recipe: Recipe, patch: bytes, log: Path, *, network: OpenNetwork | None = None
    ) -> Attempt:
        """Grades a patch once.

        Args:
            log: the file to write what the script printed to.
            network: None for a closed one.

        Raises:
            InfraFault: the world failed; there is no verdict then.
            InvalidTask: the hidden tests do not apply to the base.
        """
        began_s = time.monotonic()
        spec = network.spec(self.spec) if network else self.spec
        async with recipe.reader() as read, self.gate.passed(self.waiting):
            container = await start(self.engine, spec)
            try:
                ran = await _run(container, self, recipe, patch, log, network)
            except BaseException:
                await discard(self.engine, container)
                raise
            # Each takes some fifty milliseconds, and neither needs the other.
            removing = asyncio.create_task(discard(self.engine, container))
            try:
                reading = await read(ran.log)
            finally:
                await asyncio.shield(removing)
        return Attempt(ran, reading, wall_s=round(time.monotonic() - began_s, 3))


async def _run(
    container: Container, grader: Grader, recipe: Recipe, patch: bytes, log: Path,
    network: OpenNetwork | None,
) -> Ran:  # fmt: skip
    if network:
        await network.prepare(container)
    look = await run(container, *LOOK)
    interfaces = [line for line in look.stdout.splitlines() if b" " not in line]
    ran = Ran(
        container_id=container.id,
        pristine=look.ok and look.stdout.splitlines() == interfaces,
        network_closed=interfaces == [b"lo"],
        log=Log(log, None, timed_out=False, patch_applied=False),
    )
    applied = await apply(container, patch)
    ran = replace(ran, apply_output=applied.output)
    if not applied.ok:
        await asyncio.to_thread(compose_failure, applied.output, log)
        return ran
    await _set_tests(container, grader.commit, recipe)
    ran = await _run_script(container, grader.timeout_s, recipe, ran, network)
    changed = await changed_paths(grader.engine, container)
    return replace(ran, tampered=tampered(changed, grader.project))


def tampered(changed: list[str], project: str) -> tuple[str, ...]:
    """Those paths of a changed disk that tests have no business to change.

    Directories are named by the engine where something in them changed; a file says it already.
    """
    found = [path for path in changed if SYSTEM.search(path) and not CACHED.search(path)]
    above = {path.rpartition("/")[0] for path in changed}
    return tuple(path for path in found if path not in above and not _is_of(path, project))


def _is_of(path: str, project: str) -> bool:
    """Whether a path is a program or the metadata that installing the project itself writes."""
    own = OWN.search(path)
    name = re.sub(r"[^a-z]", "", project.lower())
    return bool(name and own and re.sub(r"[^a-z]", "", (own[1] or own[2]).lower()) == name)


async def _set_tests(container: Container, commit: str, recipe: Recipe) -> None:
    """Sets the protected files back and applies the hidden tests, where the script does not."""
    if recipe.protected:
        set_back = ("/bin/sh", "-c", SET_BACK, "sh", commit, *recipe.protected)
        await container.check(*set_back, cwd=PROJECT)
    if recipe.test_patch:
        done = await run(container, *APPLY_TESTS, stdin=recipe.test_patch)
        if not done.ok:
            text = done.output.decode(errors="replace").strip()[-300:]
            raise InvalidTask(f"test_patch does not apply to the base: {text}")


async def _run_script(
    container: Container, timeout_s: float, recipe: Recipe, ran: Ran, network: OpenNetwork | None
) -> Ran:
    nonce, script = secrets.token_hex(16), recipe.script
    before_env = network.env if network else script.offline_env
    composed = compose(replace(script, offline_env=before_env), nonce)
    await run(container, *PUT, stdin=composed.encode())
    command = Command(
        (script.shell, PATH), cwd=PROJECT, env={**script.env, **before_env},
        timeout_s=timeout_s, max_output_bytes=LOG_LIMIT_BYTES,
    )  # fmt: skip
    with scratch() as directory:
        raw = directory / "raw.txt"
        with raw.open("wb") as file:
            sink = RawLog(file)
            done = await container.run(command, sink)
        limit_s = timeout_s if done.exit_code is None else None
        found = await asyncio.to_thread(
            compose_log, raw, ran.log.path, nonce, done.exit_code, limit_s
        )
    log = Log(
        ran.log.path,
        exit_code=done.exit_code if found.ended else None,
        timed_out=done.timed_out,
        patch_applied=True,
        is_whole=not sink.dropped_bytes,
    )
    return replace(
        ran, log=log, started=found.started, installed=found.installed,
        test_output=found.shown, script=composed.replace(nonce, "NONCE"),
        script_s=done.duration_s,
    )  # fmt: skip
