"""Which model an episode talks to: chosen and checked before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent_runner.config import RunConfig
from agent_runner.errors import UsageError
from agent_runner.places import root
from agent_runner.provider.profile import ModelCatalog, ModelProfile, ResolvedModel

SCRIPTED_URL = "http://127.0.0.1:9/v1"  # replaced once the endpoint has its port


@dataclass(frozen=True)
class Model:
    """A model with its key, or a script that plays one on loopback.

    Attributes:
        script: the recording to play; None for a live model.
    """

    resolved: ResolvedModel
    script: Path | None

    @property
    def profile(self) -> ModelProfile:
        """What is known of the model."""
        return self.resolved.profile


def choose(config: RunConfig, environ: Mapping[str, str]) -> Model:
    """The model of a run.

    Raises:
        UsageError: it is unknown, has no key, or the recording cannot be read.
    """
    catalog = ModelCatalog.load(root() / "configs" / "models.yaml")
    if config.solver != "replay":
        return Model(catalog.resolve(config.model, config.base_url, environ), None)
    if config.recording is None:
        raise UsageError("--solver replay needs --recording FILE")
    path = Path(config.recording)
    path = path if path.exists() else root() / path
    # Read here as well, so that a broken recording is told before a container starts.
    from agent_runner.testing.script import Script

    script = Script.load(path)
    return Model(catalog.resolve(script.model, SCRIPTED_URL, {}), path)
