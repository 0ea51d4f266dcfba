"""What `clean` costs where 50 runs died, and what the sweep costs a start that finds none."""

import asyncio
import time
from dataclasses import replace

from tests.bench.process import AGENT_RUNNER, NotMeasured, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import Setting
from tools.workspace import labels as label
from tools.workspace.engine import Engine
from tools.workspace.leftovers import containers, sweep

NUMBER = 50
ROUNDS = 2
CLEAN_MUST_S = 20.0
STARTS = 20
SWEEP_MUST_S = 0.010
AT_ONCE = 8


async def measure(setting: Setting) -> list[Row]:
    """Each takes as many containers, which run, as a process that was killed leaves them."""
    run = f"{setting.name}-leftovers"
    async with Engine() as engine:

        async def clean() -> float:
            await _leave(engine, setting.image, run)
            spent_s = await timed(*AGENT_RUNNER, "clean")
            await _check(engine, run)
            return spent_s

        async def docker_rm() -> float:
            return await timed("docker", "rm", "-f", *await _leave(engine, setting.image, run))

        async def nothing() -> float:
            began_s = time.monotonic()
            await sweep(engine)
            return time.monotonic() - began_s

        ours, docker = await by_turns(
            ROUNDS, {"clean": clean, f"docker rm -f {NUMBER} ids": docker_rm}
        )
        (idle,) = await by_turns(STARTS, {"sweep": nothing})
    what = f"`clean` with {NUMBER} dead containers"
    return [
        Row(what=what, must_s=CLEAN_MUST_S, measured=ours, baseline=docker),
        Row(what="a start's sweep that finds nothing", must_s=SWEEP_MUST_S, measured=idle),
    ]


async def _leave(engine: Engine, image: str, run: str) -> list[str]:
    """Containers that run and whose process is gone."""
    dead = replace(label.Owner.current(), started="1")
    labels = label.run_labels(run, "bench", lease_s=600) | {label.OWNER: str(dead)}
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> str:
        async with places:
            made = await engine.docker.containers.create(
                {
                    "Image": image,
                    "Cmd": ["sleep", "86400"],
                    "Labels": labels,
                    "HostConfig": {"NetworkMode": "none"},
                }
            )
            await made.start()
            return made.id

    return await asyncio.gather(*(one() for _ in range(NUMBER)))


async def _check(engine: Engine, run: str) -> None:
    left = await containers(engine, run)
    if left:
        raise NotMeasured(f"{len(left)} of {NUMBER} containers are still there")
