"""What all measurements share: a seed whose layers are there, and directories for the runs."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_runner import places
from agent_runner.result import Result
from tests.bench.process import AGENT_RUNNER, NotMeasured, timed
from tools.workspace.build.builder import Builder
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.labels import run_labels
from tools.workspace.layers.init_volume import init_volume
from tools.workspace.limits import Limits

SEED = "tidyframe__dedupe-keeps-last"
LEASE_S = 600.0


@dataclass(frozen=True)
class Setting:
    """One run of the benchmark.

    Attributes:
        name: begins the name of every run made here, and with it the labels of its containers.
        image: id of the seed's instance image.
        init: the volume with the init of containers.
    """

    name: str
    scratch: Path
    image: str = ""
    init: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_run(self) -> Path:
        """A directory for `--out`."""
        return self.scratch / f"{self.name}-{next(self._numbers)}"

    def spec(self, limits: Limits | None = None) -> ContainerSpec:
        """A container like an agent's."""
        labels = run_labels(self.name, "bench", lease_s=LEASE_S, renewed=True)
        return ContainerSpec(self.image, labels, limits=limits or Limits(), init=self.init)

    async def docker_run(self) -> float:
        """The baseline of whatever starts a container."""
        return await timed("docker", "run", "--rm", "--network", "none", self.image, "true")


BASELINE = "docker run --rm --network none IMAGE true"


async def prepared(setting: Setting) -> Setting:
    """Runs the seed once, unmeasured: layers, byte code and page cache are there afterwards.

    Raises:
        NotMeasured: it was not resolved.
    """
    out = setting.new_run()
    await timed(
        *AGENT_RUNNER, "--task-id", SEED, "--solver", "gold", "--out", str(out), limit_s=600
    )
    digest = str(read_result(out).provenance.image_digest)
    async with Engine() as engine:
        image = await engine.image(digest)
        if image is None:
            raise NotMeasured(f"{digest} is gone")
        builder = Builder(engine, setting.name, places.home(), dict(os.environ), print)
        return replace(setting, image=digest, init=await init_volume(builder, image))


def read_result(out: Path) -> Result:
    """The result a run left."""
    return Result.model_validate_json((out / "result.json").read_text(encoding="utf-8"))
