"""What this project starts on the host ends with it, even where it is killed."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARK = "AGENT_RUNNER_TEST_LEASH"
# A mirror of a source that takes the connection and never answers.
MIRRORING = """
import asyncio, sys
from pathlib import Path
from tools.workspace.repository.mirrors import open_mirror
asyncio.run(open_mirror(sys.argv[1], "main", Path(sys.argv[2]), timeout_s=60))
"""


def test_a_fetch_ends_with_the_killed_process_that_started_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"git://127.0.0.1:{server.getsockname()[1]}/r"
        argv = (sys.executable, "-c", MIRRORING, url, str(tmp_path))
        env = {**os.environ, MARK: str(tmp_path)}
        with subprocess.Popen(argv, cwd=ROOT, env=env) as process:
            server.settimeout(20)
            connection, _ = server.accept()
            with connection:
                assert len(marked(tmp_path)) > 1
                process.kill()
                process.wait()
                for _ in range(200):
                    if not marked(tmp_path):
                        return
                    time.sleep(0.01)
    pytest.fail(f"still there: {marked(tmp_path)}")


def marked(place: Path) -> list[str]:
    """The processes that have the mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={place}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
