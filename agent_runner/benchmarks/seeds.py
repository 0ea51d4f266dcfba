"""The tasks that come with the project, and the limits they are made for."""

from pathlib import Path

from agent_runner.places import root

LIMITS = {"clone_s": 5, "install_s": 20, "tests_s": 5, "grade_s": 30}


def tasks_file() -> Path:
    """Where they stand."""
    return root() / "seeds" / "seed_tasks.jsonl"
