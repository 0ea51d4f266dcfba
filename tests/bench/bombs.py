"""How far a disk bomb gets past its limit, and what others notice of bombs."""

import asyncio
import time

from tests.bench.process import NotMeasured
from tests.bench.row import Count, Row, Series
from tests.bench.setting import Setting
from tools.workspace.channels.channel import Command, Limit
from tools.workspace.container import Container
from tools.workspace.engine import Engine
from tools.workspace.limits import Limits
from tools.workspace.start import running

MIB = 1024**2
LIMITS = Limits(memory_bytes=512 * MIB, pids=128, disk_bytes=1024 * MIB)
DISK = "head -c 100G /dev/zero > /full"
FORKS = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
MEMORY = "b = []\nwhile True: b.append(bytearray(10_000_000))"


async def measure(setting: Setting) -> list[Row | Count]:
    """Each in a container of its own, beside one that only wants an answer."""
    lines: list[Row | Count] = []
    async with Engine() as engine, running(engine, setting.spec()) as neighbour:
        for name, script in {"at once": DISK, "after 3 s": f"sleep 3; {DISK}"}.items():
            async with running(engine, setting.spec(LIMITS)) as container:
                lines.append(await _overshoot(container, name, script))
        for name, code in {"fork": FORKS, "memory": MEMORY}.items():
            async with running(engine, setting.spec(LIMITS)) as container:
                lines.append(await _beside(container, neighbour, name, code))
    return lines


async def _overshoot(container: Container, name: str, script: str) -> Count:
    done = await container.run(Command(("/bin/sh", "-c", script), timeout_s=100))
    if done.limit is not Limit.DISK or container.disk is None:
        raise NotMeasured(f"the disk bomb ended by {done.limit or done.exit_code}")
    over_mib = (container.disk.most_used_bytes - LIMITS.disk_bytes) / MIB
    return Count(
        what=f"a disk bomb ({name}): written past its 1 GiB", unit="MiB", measured=round(over_mib)
    )


async def _beside(container: Container, neighbour: Container, name: str, code: str) -> Row:
    bomb = asyncio.create_task(container.run(Command(("python3", "-c", code), timeout_s=3)))
    samples = []
    while not bomb.done():
        began_s = time.monotonic()
        await neighbour.run(Command(("true",)))
        samples.append(time.monotonic() - began_s)
        await asyncio.sleep(0.02)
    await bomb
    return Row(
        what=f"`true` in another container beside a {name} bomb",
        statistic="p99",
        measured=Series(name="Channel.run", samples_s=tuple(samples)),
    )
