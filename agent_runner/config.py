"""The configuration of a run: validated whole before anything starts, written beside its result."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from agent_runner.document import explain, keys, read_yaml
from agent_runner.errors import UsageError

CacheLevel = Literal["none", "base", "env", "instance"]
Solver = Literal["agent", "gold", "none", "patch", "replay"]
ToolName = Literal[
    "swe_clone", "swe_install", "docker_sh", "swe_apply_patch", "swe_pytest", "read_output"
]


class Section(BaseModel):
    """A part of the configuration: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Section):
    """Seconds a stage may take, and what a container may use."""

    clone_s: float = Field(120, gt=0)
    install_s: float = Field(900, gt=0)
    tests_s: float = Field(900, gt=0)
    grade_s: float = Field(1800, gt=0)
    build_s: float = Field(1800, gt=0)
    mirror_s: float = Field(1800, gt=0)
    pull_s: float = Field(1200, gt=0)
    episode_s: float = Field(3600, gt=0)
    turn_s: float | None = Field(None, gt=0)
    memory_mb: int = Field(4096, ge=64)
    cpus: float | None = Field(None, gt=0)
    pids: int = Field(512, ge=16)
    disk_mb: int = Field(10_240, ge=16)
    tokens: int | None = Field(None, gt=0)
    cost_usd: float | None = Field(None, gt=0)


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from error
    return pattern


class TerminationConfig(Section):
    """When the agent is stopped."""

    max_turns: int = Field(50, ge=1)
    tests_passed: bool = True
    tail_pattern: tuple[Annotated[str, AfterValidator(_compiled)], ...] = ()
    nudges: int = Field(2, ge=0)


class ImagesConfig(Section):
    """What workspaces are made from; `python` None is what the project's own files say."""

    python: str | None = Field(None, pattern=r"^3\.\d+$")
    facts: bool = True
    min_free_mb: int = Field(3000, ge=0)
    package_cache_mb: int = Field(1000, ge=0)
    prefer: Literal["built", "published"] = "built"
    cache_level: CacheLevel = "instance"


class PatchConfig(Section):
    """The patch to apply (`--patch`), and how large one may be."""

    file: str | None = None
    max_bytes: int = Field(1_000_000, gt=0)
    max_files: int = Field(100, gt=0)
    max_hunks: int = Field(1000, gt=0)


class ContextConfig(Section):
    """How much of the model's context is used; old tool outputs are elided above `high`."""

    tokens: int | None = Field(None, gt=0)
    high: float = Field(0.8, gt=0, le=1)
    low: float = Field(0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("context.low is above context.high")
        return self


def _level(given: object) -> object:
    # YAML reads a bare `off` as false.
    return "off" if given is False else given


class EpisodeConfig(Section):
    """How an episode runs, whichever its task is."""

    solver: Solver = "agent"
    recording: str | None = None
    record: Annotated[Literal["off", "meta", "full"], BeforeValidator(_level)] = "full"
    replay: Literal["strict", "lenient"] = "strict"
    model: str = "kimi"
    base_url: str | None = None
    prompt: str = "configs/prompts/agent.md"
    controls: bool = True
    tools: Annotated[tuple[ToolName, ...], Field(min_length=1)] = get_args(ToolName)
    limits: Limits = Limits()
    termination: TerminationConfig = TerminationConfig()
    images: ImagesConfig = ImagesConfig()
    patch: PatchConfig = PatchConfig()
    context: ContextConfig = ContextConfig()


class RunConfig(EpisodeConfig):
    """Everything that determines a single run."""

    task_id: str | None = None
    tasks: str | None = None
    dataset: str | None = None
    split: str = "test"


Layer = Mapping[str, Any]


def merge(low: Layer, high: Layer) -> dict[str, Any]:
    """Maps merge, everything else (lists too) is replaced."""
    merged = dict(low)
    for key, above in high.items():
        value = above
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = merge(below, value)
        merged[key] = value
    return merged


def read_layer(path: Path) -> Layer:
    """Reads one `--config` file.

    Raises:
        UsageError: it cannot be read or is no YAML map.
    """
    found = read_yaml(path)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UsageError(f"{path}: a configuration is a map of keys")
    return found


def parse_set(text: str) -> Layer:
    """Reads one `--set key.sub=value`; the value is YAML.

    Raises:
        UsageError: it has no `=`, or the value is no YAML.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text}: expected key.sub=value")
    try:
        layer: Any = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"--set {text}: the value is no YAML") from error
    for part in reversed(name.split(".")):
        layer = {part: layer}
    checked: Layer = layer
    return checked


C = TypeVar("C", bound=BaseModel)


def resolve(layers: Sequence[Layer]) -> RunConfig:
    """Merges layers, lowest first, and validates the whole.

    Raises:
        UsageError: a key is unknown (the nearest right one is named) or a value is wrong.
    """
    return resolve_as(RunConfig, layers)


def resolve_as(kind: type[C], layers: Sequence[Layer]) -> C:
    """Like `resolve`, for a configuration of another kind."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = merge(merged, layer)
    try:
        return kind.model_validate(merged)
    except ValidationError as error:
        raise UsageError(explain(error, keys(kind))) from error


def dump(config: BaseModel) -> str:
    """The configuration as YAML, to be read back by `--config`."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
