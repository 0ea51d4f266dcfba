"""What `doctor --provider` found out about a model at an endpoint; runs use it where models.yaml
says nothing.
"""

import hashlib
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent_runner.document import explain
from agent_runner.errors import UsageError
from agent_runner.provider.origin import origin_of
from agent_runner.provider.profile import ModelProfile, Parameter, Prices, ReasoningPolicy
from agent_runner.write_whole import write_whole


class Capability(BaseModel):
    """One model at one origin; None is "not known".

    Attributes:
        origin: scheme, host and port.
        probed: date and time, UTC.
        max_output_tokens: the most one reply may hold.
        omit: parameters that were refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    model: str
    probed: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    prices: Prices | None = None
    max_tokens_as: Literal["max_tokens", "max_completion_tokens"] | None = None
    omit: tuple[Parameter, ...] = ()
    reasoning: ReasoningPolicy | None = None


class Completed(BaseModel):
    """A profile with what the endpoint said; `learned` names the keys that came from there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: ModelProfile
    learned: tuple[str, ...] = ()


def origin_text(url: str) -> str:
    """Return the origin of `url` as text."""
    scheme, host, port = origin_of(url)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def path_of(home: Path, profile: ModelProfile) -> Path:
    """Return where the capabilities of a model at its origin are kept."""
    _, host, port = origin_of(profile.base_url)
    slug = re.sub(r"[^\w.-]+", "_", profile.model)[:80]
    both = f"{origin_text(profile.base_url)} {profile.model}"
    digest = hashlib.sha256(both.encode()).hexdigest()[:8]
    return home / "profiles" / f"{host.replace(':', '_')}-{port}" / f"{slug}-{digest}.json"


def save(home: Path, profile: ModelProfile, capability: Capability) -> Path:
    """Write it, whole or not at all, and return where.

    Raises:
        OSError: the disk does not take it.
    """
    path = path_of(home, profile)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, capability.model_dump_json(indent=2).encode() + b"\n")
    return path


def complete(home: Path, profile: ModelProfile) -> Completed:
    """Return `profile` with what is known of its endpoint and does not stand in models.yaml.

    Raises:
        UsageError: what was written down cannot be read, or contradicts models.yaml.
    """
    path = path_of(home, profile)
    if not path.exists():
        return Completed(profile=profile)
    again = "run `doctor --provider` again, or delete it"
    try:
        found = Capability.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        reason = explain(error, Capability.model_fields)
        raise UsageError(f"{path}: {reason}; {again}") from error
    learned = _learned(profile, found)
    given = profile.model_dump(exclude_unset=True)
    try:
        completed = ModelProfile.model_validate({**given, **learned})
    except ValidationError as error:
        reason = explain(error, ModelProfile.model_fields)
        raise UsageError(f"models.yaml and {path}: {reason}; {again}") from error
    return Completed(profile=completed, learned=tuple(learned))


def _learned(profile: ModelProfile, found: Capability) -> dict[str, object]:
    said = {
        "context_tokens": found.context_tokens,
        "prices": found.prices,
        "max_tokens_as": found.max_tokens_as,
        "omit": found.omit or None,
        "reasoning": found.reasoning,
    }
    if found.max_output_tokens is not None and found.max_output_tokens < profile.max_tokens:
        said["max_tokens"] = found.max_output_tokens
    given = profile.model_fields_set
    return {key: value for key, value in said.items() if value is not None and key not in given}
