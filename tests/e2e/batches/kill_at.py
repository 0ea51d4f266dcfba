"""A command line that is killed within milliseconds of something it does.

`python -m tests.e2e.batches.kill_at POINT NTH DELAY_MS MARK ARGS...` runs `agent_runner ARGS...`
and kills itself with SIGKILL at the NTH passing of POINT, DELAY_MS after it began; a file MARK says
that it came to that. Nothing of the product is replaced: what is called is called, after the clock
was started.
"""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiodocker.containers import DockerContainer, DockerContainers

from agent_runner import cli
from agent_runner.batch.journal import Journal
from agent_runner.grading.attempt import Grader
from agent_runner.run_dir import RunDir
from tools.workspace import start

# What is passed -> the object and the attribute whose call it is.
POINTS: dict[str, tuple[Any, str]] = {
    "container create": (DockerContainers, "create"),
    "label": (start, "_create_body"),
    "journal append": (Journal, "append"),
    "result rename": (RunDir, "finish"),
    "layer commit": (DockerContainer, "commit"),
    "grade start": (Grader, "attempt"),
}


def kill_at(point: str, nth: int, delay_s: float, mark: Path) -> None:
    """Wraps the call so that its nth passing starts the clock."""
    owner, name = POINTS[point]
    real: Callable[..., Any] = getattr(owner, name)
    passed = 0

    def die() -> None:
        mark.write_text(f"{point}, call {nth}, after {delay_s * 1000:.1f} ms\n", encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(real)
    def wrapped(*args: Any, **given: Any) -> Any:
        nonlocal passed
        passed += 1
        if passed == nth:
            if not delay_s:
                die()
            threading.Timer(delay_s, die).start()
        return real(*args, **given)

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    _, where, number, delay_ms, marked, *arguments = sys.argv
    kill_at(where, int(number), float(delay_ms) / 1000, Path(marked))
    sys.argv = ["agent_runner", *arguments]
    cli.main()
