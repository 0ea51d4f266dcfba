"""Which model an episode talks to: chosen and checked before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from agent_runner.config import RunConfig
from agent_runner.errors import UsageError
from agent_runner.places import home, root
from agent_runner.provider.capability import complete
from agent_runner.provider.catalog import ModelCatalog
from agent_runner.provider.profile import LOOPBACK_KEY, ModelProfile, ResolvedModel
from agent_runner.provider.recording.recording import NAME, Recording, is_recording

SCRIPTED_URL = "http://127.0.0.1:9/v1"  # replaced once the endpoint has its port


@dataclass(frozen=True)
class Model:
    """A model with its key, or a script that plays one on loopback, or the recording of one.

    Attributes:
        script, recording: what answers; both None for a live model.
        learned: keys of its profile that `doctor --provider` found out.
    """

    resolved: ResolvedModel
    script: Path | None = None
    recording: Recording | None = None
    learned: tuple[str, ...] = ()

    @property
    def profile(self) -> ModelProfile:
        """What is known of the model."""
        return self.resolved.profile

    @property
    def is_live(self) -> bool:
        """Whether an endpoint is asked, which may cost something."""
        return self.script is None and self.recording is None


def choose(config: RunConfig, environ: Mapping[str, str]) -> Model:
    """The model of a run.

    Raises:
        UsageError: it is unknown, has no key, or no price where the cost is limited; the recording
            is none, or of another task.
    """
    model = _chosen(config, environ)
    if config.limits.cost_usd is not None and model.profile.prices is None:
        raise UsageError(
            f"limits.cost_usd: the price of {model.profile.model} is unknown; set its prices in"
            " configs/models.yaml, or limit tokens (limits.tokens)"
        )
    return model


def _chosen(config: RunConfig, environ: Mapping[str, str]) -> Model:
    catalog = ModelCatalog.load(root() / "configs" / "models.yaml")
    if config.solver != "replay":
        resolved = catalog.resolve(config.model, config.base_url, environ)
        completed = complete(home(), resolved.profile)
        resolved = resolved.model_copy(update={"profile": completed.profile})
        return Model(resolved, learned=completed.learned)
    if config.recording is None:
        raise UsageError("--solver replay needs --recording FILE")
    path = Path(config.recording)
    path = path if path.exists() else root() / path
    path = path / NAME if path.is_dir() else path
    # Read here as well, so that a broken recording is told before a container starts.
    if is_recording(path):
        return _recorded(path, config)
    from agent_runner.testing.script import Script

    script = Script.load(path)
    return Model(catalog.resolve(script.model, SCRIPTED_URL, {}), script=path)


def _recorded(path: Path, config: RunConfig) -> Model:
    """The recorded model: its profile is that of the recorded run, and no key is needed."""
    recording = Recording.load(path)
    recorded = recording.header.task_id
    if config.task_id is not None and recorded != config.task_id:
        raise UsageError(f"{path}: was recorded at task {recorded}, and this is {config.task_id}")
    profile = recording.header.profile
    key = SecretStr(LOOPBACK_KEY)  # never sent
    resolved = ResolvedModel(profile=profile, api_key=key)
    return Model(resolved, recording=recording, learned=recording.header.learned)
