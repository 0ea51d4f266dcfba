"""One grading run in a fresh container: apply, protect, run, read."""

import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from agent_runner.grading.recipe import Recipe
from tools.outputs.display import plain
from tools.testruns.outcome import TestRun
from tools.workspace.channel import Command, Execution
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.spec import ENV, PROJECT
from tools.workspace.start import running

LOG_LIMIT_BYTES = 200_000_000
# SWE-bench's own chain (swebench.harness.run_evaluation, GIT_APPLY_CMDS), tree reset between tries.
APPLY = (
    ("git", "apply", "--verbose"),
    ("git", "apply", "--verbose", "--3way"),
    ("git", "apply", "--verbose", "--reject"),
    ("patch", "--batch", "--forward", "--fuzz=5", "-p1", "-i"),
)
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
class Attempt:
    """What one grading run came to.

    Attributes:
        container_id: of the container, which nothing else ran in.
        pristine: whether its tree was the base commit's before the patch.
        run: None where the patch did not apply.
        test_output: what the tests printed; `log` has everything.
    """

    container_id: str
    pristine: bool
    network_closed: bool
    patch_applied: bool
    run: TestRun | None
    log: bytes
    test_output: str = ""
    script: str = ""


@dataclass(frozen=True)
class Grader:
    """Where grading happens.

    Attributes:
        spec: how its containers are made: the instance layer, no network.
        timeout_s: for the tests.
    """

    engine: Engine
    spec: ContainerSpec
    commit: str
    timeout_s: float

    async def attempt(self, recipe: Recipe, patch: bytes) -> Attempt:
        """Grades a patch once.

        Raises:
            InfraFault: the world failed; there is no verdict then.
            InvalidTask: the hidden tests do not apply to the base.
        """
        async with running(self.engine, self.spec) as container:
            status = await _run(container, "git", "status", "--porcelain")
            graded = Attempt(
                container_id=container.id,
                pristine=status.ok and not status.stdout,
                network_closed=await _has_only_loopback(container),
                patch_applied=True,
                run=None,
                log=b"",
            )
            applied, log = await _apply(container, patch)
            if not applied:
                return replace(graded, patch_applied=False, log=log)
            await self._set_tests(container, recipe)
            return await self._run_tests(container, recipe, replace(graded, log=log))

    async def _set_tests(self, container: Container, recipe: Recipe) -> None:
        set_back = ("/bin/sh", "-c", SET_BACK, "sh", self.commit, *recipe.protected)
        await container.check(*set_back, cwd=PROJECT)
        if recipe.test_patch:
            await container.put({"/agent_runner/tests.diff": recipe.test_patch})
            done = await _run(container, "git", "apply", "--verbose", "/agent_runner/tests.diff")
            if not done.ok:
                text = done.output.decode(errors="replace").strip()[-300:]
                raise InvalidTask(f"test_patch does not apply to the base: {text}")

    async def _run_tests(self, container: Container, recipe: Recipe, graded: Attempt) -> Attempt:
        nonce = secrets.token_hex(16)
        script = _script(recipe.script, nonce)
        await container.put({"/agent_runner/eval.sh": script.encode()}, mode=0o755)
        done = await _run(
            container, "/bin/sh", "/agent_runner/eval.sh",
            timeout_s=self.timeout_s, max_output_bytes=LOG_LIMIT_BYTES,
        )  # fmt: skip
        section = between_markers(plain(done.stdout), nonce)
        run = recipe.read(section, done.exit_code)
        log = graded.log + done.output
        return replace(graded, run=run, log=log, test_output=section, script=script)


def _script(body: str, nonce: str) -> str:
    """The script with markers nobody can know; its exit code is the tests', kept off stdout."""
    return (
        # The nonce must not be found by the code under test; the shell has the file open.
        "rm -rf /agent_runner\n"
        "exec 2>&1\n"
        f"printf '\\n%s\\n' 'start {nonce}'\n"
        f"( {body.rstrip()}\n)\n"
        "code=$?\n"
        f"printf '\\n%s\\n' 'end {nonce}'\n"
        "exit $code\n"
    )


def between_markers(text: str, nonce: str) -> str:
    """What stands between the markers; all after the first one where the second is missing."""
    found = re.search(
        rf"^start {nonce}$\n?(.*?)(?:^end {nonce}$|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return found[1] if found else ""


async def _apply(container: Container, patch: bytes) -> tuple[bool, bytes]:
    """Applies a prediction as it is, by SWE-bench's own chain; an empty one needs nothing."""
    if not patch:
        return True, b""
    await container.put({"/agent_runner/patch.diff": patch})
    log = b""
    for argv in APPLY:
        done = await _run(container, *argv, "/agent_runner/patch.diff")
        log += done.output
        if done.ok:
            return True, log
        await _run(container, "git", "reset", "-q", "--hard")
        await _run(container, "git", "clean", "-fdq")
    return False, log


async def _has_only_loopback(container: Container) -> bool:
    listed = await _run(container, "ls", "/sys/class/net")
    return listed.stdout.split() == [b"lo"]


async def _run(
    container: Container, *argv: str, timeout_s: float = 120.0, max_output_bytes: int = 10_000_000
) -> Execution:
    command = Command(
        argv, cwd=PROJECT, env=ENV, timeout_s=timeout_s, max_output_bytes=max_output_bytes
    )
    return await container.run(command)


def save(attempt: Attempt, directory: Path) -> None:
    """Writes script and log, whole, beside the report."""
    (directory / "eval.sh").write_text(attempt.script, encoding="utf-8")
    (directory / "log.txt").write_bytes(attempt.log)
