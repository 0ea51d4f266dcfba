"""A prediction applied as it is, by SWE-bench's own chain of commands."""

from dataclasses import dataclass

from tools.workspace.channels.channel import Command, Execution
from tools.workspace.container import Container
from tools.workspace.spec import ENV, PROJECT

PATCH = "/agent_runner/patch.diff"
# swebench.harness.run_evaluation: GIT_APPLY_CMDS, the reset between them, the check at the end.
CHAIN = (
    ("git", "apply", "--verbose"),
    ("git", "apply", "--verbose", "--3way"),
    ("git", "apply", "--verbose", "--reject"),
    ("patch", "--batch", "--forward", "--fuzz=5", "-p1", "-i"),
)
RESET = ("/bin/sh", "-c", "git checkout -- . ; git clean -fd")
CHECK = ("git", "apply", "--check", "--reverse")
PUT = ("/bin/sh", "-c", f"mkdir -p /agent_runner && cat > {PATCH}")
# Unlike git, `patch` writes into `.git`: hooks and filters, which are commands.
KEEP = ("tar", "-cf", "/agent_runner/git.tar", "--exclude=./objects", "-C", ".git", ".")
PUT_BACK = (
    "/bin/sh", "-c",
    "find .git -mindepth 1 -maxdepth 1 ! -name objects -exec rm -rf {} + ; "
    "rm -f .git/objects/info/alternates; tar -xf /agent_runner/git.tar -C .git",
)  # fmt: skip


@dataclass(frozen=True)
class Applied:
    """Whether a patch applied, and what the commands said."""

    ok: bool
    output: bytes


async def apply(container: Container, patch: bytes) -> Applied:
    """Applies a patch; an empty one needs nothing.

    Raises:
        InfraFault: the container is lost.
    """
    if not patch:
        return Applied(ok=True, output=b"")
    await run(container, *PUT, stdin=patch)
    said = b""
    for number, argv in enumerate(CHAIN):
        if number:
            await run(container, *RESET)
        done = await _step(container, *argv, PATCH)
        said += b"$ " + " ".join(argv).encode() + b"\n" + done.output
        if done.ok:
            return Applied(ok=True, output=said)
    # The chain can leave a patch applied although each command said it failed.
    done = await run(container, *CHECK, PATCH)
    return Applied(ok=done.ok, output=said + done.output)


async def _step(container: Container, *argv: str) -> Execution:
    if argv[0] == "git":
        return await run(container, *argv)
    await run(container, *KEEP)
    done = await run(container, *argv)
    await run(container, *PUT_BACK)
    return done


async def run(container: Container, *argv: str, stdin: bytes = b"") -> Execution:
    """Runs one of the grader's own commands in the project, which may fail."""
    command = Command(argv, cwd=PROJECT, env=ENV, stdin=stdin, timeout_s=120.0)
    return await container.run(command)
