"""The options of the single run, and the configuration they come to."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent_runner.benchmarks import seeds
from agent_runner.config import RunConfig, merge, parse_set, read_layer, resolve
from agent_runner.errors import UsageError


class Options(BaseModel):
    """The options of the command line, as they were given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str | None
    tasks: Path | None
    dataset: str | None
    split: str | None
    repo: str | None
    ref: str | None
    pytest_k: str | None
    tests: tuple[str, ...]
    patch: Path | None
    solver: str | None
    recording: Path | None
    model: str | None
    base_url: str | None
    prompt: Path | None
    max_turns: int | None
    config: tuple[Path, ...]
    sets: tuple[str, ...]
    out: Path | None
    keep: bool
    quiet: bool


def configure(options: Options) -> RunConfig:
    """Defaults < `--config` files < `--set` < named options.

    Raises:
        UsageError: a key or a value is wrong.
    """
    given = [read_layer(path) for path in options.config]
    given += [parse_set(text) for text in options.sets]
    named = _named(options)
    config = resolve([*given, named])
    if config.solver == "replay" and options.model and not options.solver:
        # A model named by hand means a live run, whatever a configuration file replays.
        config = resolve([*given, named, {"solver": "agent", "recording": None}])
    if options.recording is not None and config.solver != "replay":
        raise UsageError("--recording is played by --solver replay; --model asks a live model")
    if options.repo is None and config.solver == "patch" and config.patch.file is None:
        raise UsageError("--solver patch needs --patch FILE")
    if options.patch is not None and config.solver != "patch":
        raise UsageError(f"--patch is for --solver patch, not for {config.solver}")
    if options.dataset and options.tasks:
        raise UsageError("--tasks and --dataset exclude each other")
    from_seeds = config.tasks is None and config.dataset is None and options.repo is None
    if from_seeds:
        agent = {"solver": config.solver, "recording": config.recording}
        config = resolve([{"limits": seeds.LIMITS}, *given, named, agent])
    return config


def _named(options: Options) -> dict[str, Any]:
    """The options that were given, as a layer of the configuration."""
    plain = {
        "task_id": options.task_id,
        "tasks": options.tasks,
        "dataset": options.dataset,
        "split": options.split,
        "solver": options.solver,
        "recording": options.recording,
        "model": options.model,
        "base_url": options.base_url,
        "prompt": options.prompt,
    }
    layer: dict[str, Any] = {key: str(value) for key, value in plain.items() if value is not None}
    if options.max_turns is not None:
        layer = merge(layer, {"termination": {"max_turns": options.max_turns}})
    if options.patch is not None:
        layer = merge(layer, {"patch": {"file": str(options.patch)}})
        layer.setdefault("solver", "patch")
    if options.repo is not None:
        layer.setdefault("solver", "patch")
    if options.recording is not None:
        layer.setdefault("solver", "replay")
    return layer
