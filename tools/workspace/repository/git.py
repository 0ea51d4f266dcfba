"""The host's git: the user's own configuration (credentials, proxies, `insteadOf`) applies."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tools.workspace.leash import leash


class GitError(Exception):
    """A git command failed; the message is the end of what it said."""


async def git(
    *args: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout_s: float = 600.0,
) -> bytes:
    """Runs git on the host and returns its stdout; a cancelled or late one is killed.

    Raises:
        GitError: it exited with anything but 0, or the time is up.
    """
    process = await asyncio.create_subprocess_exec(
        *leash(),
        "git",
        *args,
        cwd=cwd,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **(env or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # so that its ssh and remote helpers end with it
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate(stdin)
    except TimeoutError as error:
        raise GitError(f"git {args[0]} took longer than {timeout_s:.0f} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        said = without_password(err.decode(errors="replace"))
        raise GitError(f"git {args[0]}: {said.strip()[-600:]}")
    return out


def without_password(text: str) -> str:
    """The same text with user and password taken out of its addresses."""
    return re.sub(r"://[^/@\s]+@", "://", text)


def plain_config() -> dict[str, str]:
    """An environment in which no configuration but the repository's own is read."""
    return {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
