"""What all measurements share: a seed whose layers are there, and directories for the runs."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent_runner.result import Result
from tests.bench.process import AGENT_RUNNER, timed

SEED = "tidyframe__dedupe-keeps-last"


@dataclass(frozen=True)
class Setting:
    """One run of the benchmark.

    Attributes:
        name: begins the name of every run made here, and with it the labels of its containers.
        image: id of the seed's instance image.
    """

    name: str
    scratch: Path
    image: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_run(self) -> Path:
        """A directory for `--out`."""
        return self.scratch / f"{self.name}-{next(self._numbers)}"

    async def docker_run(self) -> float:
        """The baseline of whatever starts a container."""
        return await timed("docker", "run", "--rm", "--network", "none", self.image, "true")


BASELINE = "docker run --rm --network none IMAGE true"


async def instance_image(setting: Setting) -> str:
    """Runs the seed once, unmeasured: layers, byte code and page cache are there afterwards.

    Raises:
        NotMeasured: it was not resolved.
    """
    out = setting.new_run()
    await timed(
        *AGENT_RUNNER, "--task-id", SEED, "--solver", "gold", "--out", str(out), limit_s=600
    )
    return str(read_result(out).provenance.image_digest)


def read_result(out: Path) -> Result:
    """The result a run left."""
    return Result.model_validate_json((out / "result.json").read_text(encoding="utf-8"))
