"""What an agent does to its own container is text that it reads; the run goes on and is graded."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import DEMO, Cli, ours

pytestmark = pytest.mark.e2e

FORKS = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass\n"
MEMORY = "b = []\nwhile True: b.append(bytearray(10_000_000))\n"
BOMBS = [
    ("head -c 20G /dev/zero > /tmp/full", "disk limit of 256 MB was exceeded"),
    ("rm /tmp/full && echo rid", "rid"),
    (f"python3 -c '{MEMORY}'", "memory limit of 256 MB was exceeded"),
    (f"python3 -c '{FORKS}'", "process limit of 64 was reached"),
    ("yes", "timed out after 2 s"),
    ("(setsid sleep 4711 >/dev/null 2>&1 &); sleep 60", "timed out after 2 s"),
    ("kill -9 1; kill -9 -1; true", "exit code"),
    ("kill -9 $PPID; sleep 60", "killed"),
    ("ps -e -o args | grep -c '[4]711'", "\n0"),
    ("rm -rf /workspace/project /bin/sh /usr/bin/env", "exit code 0"),
]


def test_an_agent_that_breaks_what_it_can_is_told_and_graded(cli: Cli, tmp_path: Path) -> None:
    calls = [
        {"calls": [{"tool": "docker_sh", "arguments": {"command": command, "timeout_s": 2}}]}
        for command, _ in BOMBS
    ]
    turns = [{"reply": reply} for reply in [*calls, {"content": "I give up.\nTERMINATE"}]]
    script = tmp_path / "script.yaml"
    script.write_text(yaml.safe_dump({"turns": turns}), encoding="utf-8")
    limits = ("limits.memory_mb=256", "limits.disk_mb=256", "limits.pids=64")
    sets = [part for limit in limits for part in ("--set", limit)]
    ran = cli("--config", str(DEMO), "--recording", str(script), *sets)
    assert ran.exit_code == 1, ran.stderr
    assert ran.result["status"] == "unresolved"
    assert ran.result["error"] is None
    assert ran.result["termination"] == "submitted"
    told = [turn["calls"][0]["text"] for turn in ran.turns[:-1]]
    for (command, expected), text in zip(BOMBS, told, strict=True):
        assert expected in text, (command, text)
    assert ours(ran.out) == []
