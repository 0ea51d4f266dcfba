"""CPU seconds of a batch's containers, read from their cgroups before they are removed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent_runner.run_dir import RunDir
from tools.workspace import labels
from tools.workspace.engine import Engine

LOOK_S = 0.02
NANOSECONDS = 1e9
# cgroup v1 and v2, with either of the engine's drivers.
PLACES = (
    ("/sys/fs/cgroup/cpuacct/docker/{id}/cpuacct.usage", NANOSECONDS),
    ("/sys/fs/cgroup/docker/{id}/cpu.stat", 1e6),
    ("/sys/fs/cgroup/system.slice/docker-{id}.scope/cpu.stat", 1e6),
)


@dataclass
class ContainerCpu:
    """Counts from the container's creation until shortly before its end.

    Attributes:
        directory: of the batch whose containers are meant.
    """

    directory: Path
    _used_s: dict[str, float] = field(default_factory=dict)

    @property
    def cpu_s(self) -> float:
        """Of all of them together."""
        return sum(self._used_s.values())

    @property
    def containers(self) -> int:
        """How many there were."""
        return len(self._used_s)

    @asynccontextmanager
    async def counting(self) -> "AsyncIterator[ContainerCpu]":
        """Counts while the block runs; the engine tells which containers are created."""
        async with Engine() as engine:
            tasks = [asyncio.create_task(self._listen(engine)), asyncio.create_task(self._look())]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    async def _listen(self, engine: Engine) -> None:
        told = engine.docker.events.subscribe()
        while True:
            event = await told.get()
            if event is None:
                return
            if event.get("Type") == "container" and event["Action"] == "create":
                actor = event["Actor"]
                if self._is_ours(actor["Attributes"].get(labels.RUN, "")):
                    self._used_s[actor["ID"]] = 0.0

    def _is_ours(self, run: str) -> bool:
        name, _, _ = run.rpartition("-")
        return bool(run) and RunDir(self.directory / "episodes" / name).run_id == run

    async def _look(self) -> None:
        while True:
            for container_id in self._used_s:
                self._read(container_id)
            await asyncio.sleep(LOOK_S)

    def _read(self, container_id: str) -> None:
        for place, unit in PLACES:
            with suppress(OSError):
                text = Path(place.format(id=container_id)).read_text(encoding="ascii")
                number = text.removeprefix("usage_usec ").split()[0]
                self._used_s[container_id] = int(number) / unit
                return
