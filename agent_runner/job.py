"""What an episode is to do, all of it checked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent_runner.config import RunConfig
from agent_runner.gates import Gates, open_gates
from agent_runner.model import Model
from agent_runner.prompts import Prompts
from agent_runner.run_dir import RunDir
from agent_runner.stages import Stages
from agent_runner.task import Located

if TYPE_CHECKING:
    from agent_runner.provider.client import ModelClient


@dataclass(frozen=True)
class Job:
    """One episode.

    Attributes:
        patch: what a solver without an agent applies; empty for nothing.
        own_tests: the patch's own tests count (a direct run), so no test file is set back.
        model, prompts: None without an agent.
        client: gives that of a batch, whose episodes share it; None for one of its own.
        sweeps: whether to look first for what dead runs left.
    """

    config: RunConfig
    located: Located
    directory: RunDir
    home: Path
    stages: Stages
    patch: bytes = b""
    own_tests: bool = False
    model: Model | None = None
    prompts: Prompts | None = None
    keep: bool = False
    client: "Callable[[], Awaitable[ModelClient]] | None" = None
    gates: Gates = field(default_factory=open_gates)
    sweeps: bool = True
