"""The profiles of `models.yaml`, and the choice among them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent_runner.document import read_document
from agent_runner.errors import UsageError
from agent_runner.nearest import nearest
from agent_runner.provider.origin import origin_of
from agent_runner.provider.profile import ModelProfile, ResolvedModel, checked_url, with_key


class ModelCatalog(BaseModel):
    """The profiles of one `models.yaml`, which maps names to profiles.

    Attributes:
        default: the profile that is used when no model is named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: str
    models: dict[str, ModelProfile] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _named_by_their_keys(cls, tree: object) -> object:
        models = tree.get("models") if isinstance(tree, dict) else None
        if not isinstance(tree, dict) or not isinstance(models, dict):
            return tree
        named = {
            key: {"name": key, **value} if isinstance(value, dict) else value
            for key, value in models.items()
        }
        return {**tree, "models": named}

    @model_validator(mode="after")
    def _default_exists(self) -> "ModelCatalog":
        if self.default not in self.models:
            raise ValueError(f'default names an unknown model "{self.default}"')
        return self

    @classmethod
    def load(cls, path: Path) -> "ModelCatalog":
        """Read `path`; a file that has not changed is read once.

        Raises:
            UsageError: it cannot be read or is malformed.
        """
        try:
            found = path.stat()
        except OSError:
            return read_document(path, cls)  # which says why
        return _read(path, found.st_mtime_ns, found.st_size, found.st_ino)

    def pick(self, model: str | None, base_url: str | None = None) -> ModelProfile:
        """Return the profile for `--model` and `--base-url`.

        A profile is found by its name or by the id of its model. With `base_url` a model that no
        profile knows is sent as it is, with the defaults of a profile.

        Raises:
            UsageError: nobody knows the model, or the URL is none.
        """
        wanted = self.default if model is None else model
        found = self.models.get(wanted) or next(
            (each for each in self.models.values() if each.model == wanted), None
        )
        if base_url is None:
            if found is None:
                known = nearest(wanted, self.models) or f"; known: {', '.join(self.models)}"
                other = "" if known.endswith("?") else "; any other id needs --base-url URL"
                raise UsageError(f"unknown model {wanted!r}{known}{other}")
            return found
        try:
            url = checked_url(base_url)
        except ValueError as error:
            raise UsageError(f"--base-url: {error}") from error
        key_env = self._key_env_of(origin_of(url))
        if found is None:
            return ModelProfile(name=wanted, model=wanted, base_url=url, key_env=key_env)
        return found.model_copy(update={"base_url": url, "key_env": key_env})

    def resolve(
        self, model: str | None, base_url: str | None, environ: Mapping[str, str]
    ) -> ResolvedModel:
        """Return the profile for `--model` and `--base-url` with the key for its origin.

        Raises:
            UsageError: as `pick` and `with_key`.
        """
        return with_key(self.pick(model, base_url), environ)

    def _key_env_of(self, origin: tuple[str, str, int]) -> str | None:
        return next(
            (p.key_env for p in self.models.values() if origin_of(p.base_url) == origin), None
        )


@lru_cache(maxsize=4)
def _read(path: Path, mtime_ns: int, size_bytes: int, inode: int) -> ModelCatalog:
    """Every episode of a batch asks for it, and YAML takes tens of milliseconds."""
    return read_document(path, ModelCatalog)
