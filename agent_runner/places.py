"""Where things lie: the checkout's own files, and the state that is no result."""

import os
from pathlib import Path


def root() -> Path:
    """The checkout: `configs/`, `seeds/` and `sandbox/` are below it."""
    override = os.environ.get("AGENT_RUNNER_ROOT")
    return Path(override).resolve() if override else Path(__file__).resolve().parents[1]


def home() -> Path:
    """Mirrors, package cache and locks; several processes share it."""
    override = os.environ.get("AGENT_RUNNER_HOME")
    return Path(override).resolve() if override else Path.home() / ".cache" / "agent_runner"


def found(name: str) -> Path:
    """A file named in a configuration: from here, else from the checkout."""
    path = Path(name)
    return path if path.exists() else root() / path
