"""What an environment layer is made of and on, as keys and labels."""

from dataclasses import dataclass

from tools.workspace import labels as label
from tools.workspace.engine import Image
from tools.workspace.packages.environment import RECIPE, build_tools
from tools.workspace.packages.pins import digest

PINS = "agent_runner.pins"
TOOLS = "agent_runner.tools"
DEBIAN = "agent_runner.debian"
ROOT = "agent_runner.environment_root"
SUBJECT = "agent_runner.environment_for"
CHAIN = "agent_runner.environment_chain"


def base_key(base: Image) -> str:
    """What determined a base image: our own label, else (an image a user made) its digest."""
    return base.labels.get(label.KEY, base.id)


@dataclass(frozen=True)
class Ground:
    """What environments share: an image below, the build tools of its Python, Debian packages."""

    below: Image
    python: str
    debian: frozenset[str]

    @property
    def key(self) -> str:
        """What determines it."""
        return digest((base_key(self.below), self.tools, *sorted(self.missing)))

    @property
    def tools(self) -> str:
        """What determines the build tools."""
        return digest((self.python, *build_tools(self.python), RECIPE))

    @property
    def missing(self) -> frozenset[str]:
        """The Debian packages that no layer below has."""
        return self.debian - frozenset(self.below.labels.get(DEBIAN, "").split())

    @property
    def is_below(self) -> bool:
        """Whether a layer below has all of it."""
        return self.below.labels.get(TOOLS) == self.tools and not self.missing


@dataclass(frozen=True)
class Wish:
    """An environment layer: what it holds, on which ground.

    Attributes:
        subject: whose environment it was first; a guess at where the next one starts from.
    """

    ground: Ground
    pins: tuple[str, ...]
    variables: tuple[str, ...] = ()
    subject: str = ""

    @property
    def key(self) -> str:
        """What determines the layer."""
        return digest((self.ground.key, *self.pins, *self.variables))

    @property
    def tag(self) -> str:
        """The layer's name."""
        return f"agent_runner/env:py{self.ground.python}-{self.key}"

    def labels(self, chain: int) -> dict[str, str]:
        """What is found again of the layer, in it and in those above."""
        held = self.ground.below.labels.get(DEBIAN, "").split()
        return {
            label.LAYER: "environment",
            label.KEY: self.key,
            ROOT: self.ground.key,
            TOOLS: self.ground.tools,
            DEBIAN: " ".join(sorted({*held, *self.ground.debian})),
            PINS: " ".join(self.pins),
            CHAIN: str(chain),
            SUBJECT: self.subject,
        }
