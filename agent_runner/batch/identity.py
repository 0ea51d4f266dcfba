"""What determines an episode, as a hash: never a path, never an image's id."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import BaseModel, JsonValue

from agent_runner.batch.order import Order
from agent_runner.batch.settings import BatchConfig
from agent_runner.errors import UsageError
from agent_runner.result import Record, Result

# Of the limits, those that an agent or its tests can feel; the others are the world's.
FELT = (
    "clone_s", "install_s", "tests_s", "grade_s", "turn_s", "episode_s", "memory_mb", "cpus",
    "pids", "disk_mb", "tokens", "cost_usd",
)  # fmt: skip


class Facts(Record):
    """What must be the same for a batch to go on: the same facts are the same batch.

    Attributes:
        tasks: the `tasks` of the YAML.
        model: the id and every parameter that is sent with it; None without an agent.
        prompt_sha256, recording_sha256: of the files' content; "" without an agent.
    """

    tasks: JsonValue
    attempts: int
    solver: str
    model: JsonValue
    prompt_sha256: str
    recording_sha256: str
    tools: tuple[str, ...]
    termination: JsonValue
    context: JsonValue
    patch: JsonValue
    python: str | None
    environment_facts: bool
    prefer: str


def facts_of(
    config: BatchConfig, model: JsonValue = None, prompt: Path | None = None,
    recordings: Collection[Path] = (),
) -> Facts:  # fmt: skip
    """The facts of a batch.

    Args:
        model: what is sent with every request; None without a live one.
        prompt: the template's file; None without an agent.
        recordings: the files that a replay answers from.

    Raises:
        UsageError: a file cannot be read.
    """
    plain = config.model_dump(mode="json")
    return Facts(
        tasks=plain["tasks"],
        attempts=config.attempts,
        solver=config.solver,
        model=model,
        prompt_sha256=_sha256(prompt) if prompt else "",
        recording_sha256=_of_all(recordings),
        tools=config.tools,
        termination=plain["termination"],
        context=plain["context"],
        patch=plain["patch"],
        python=config.images.python,
        environment_facts=config.images.facts,
        prefer=config.images.prefer,
    )


def differences(before: BaseModel, now: BaseModel) -> list[str]:
    """What is not the same, a line each: `tasks.limit: 5 -> 6`."""
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    return list(_differences("", old, new))


def _differences(place: str, old: JsonValue, new: JsonValue) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{place}.{key}" if place else key
            found += _differences(inner, old.get(key), new.get(key))
        return found
    return [] if old == new else [f"{place}: {json.dumps(old)} -> {json.dumps(new)}"]


def episode_hash(order: Order, facts: Facts, result: Result) -> str:
    """Names an episode by all that determines it; "" where its layers were never known."""
    if not result.provenance.layer_key:
        return ""
    limits = order.config.limits.model_dump(mode="json")
    parts: Mapping[str, object] = {
        "task": order.task.model_dump(mode="json"),
        "facts": facts.model_dump(mode="json", exclude={"tasks", "attempts"}),
        "limits": {name: limits[name] for name in FELT if name in limits},
        "layer": result.provenance.layer_key,
        "attempt": order.attempt,
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _of_all(files: Collection[Path]) -> str:
    """One hash over the contents of files, in any order, whatever their names."""
    hashes = sorted(_sha256(path) for path in files)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest() if hashes else ""


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
