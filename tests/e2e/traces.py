"""What runs of one state directory have left on this machine, looked for in every place."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from agent_runner import places
from agent_runner.run_dir import RunDir
from tests.e2e.conftest import ROOT, environment, ours


def docker(*args: str) -> list[str]:
    """The lines of a docker command's output."""
    return subprocess.run(
        ["docker", *args], capture_output=True, text=True, check=True
    ).stdout.split()


def nameless() -> set[str]:
    """Layers of ours without a tag."""
    return set(docker("images", "-q", "-f", "dangling=true", "-f", "label=agent_runner.layer"))


@dataclass(frozen=True)
class World:
    """A state directory and a TMPDIR of a test's own, and command lines that use them."""

    home: Path
    temporary: Path

    @classmethod
    def make(cls, place: Path, *, shared: Iterable[str]) -> "World":
        """A new one over those parts of the user's own state directory."""
        world = cls(place / "home", place / "temporary")
        world.home.mkdir()
        world.temporary.mkdir()
        for name in shared:
            (places.home() / name).mkdir(parents=True, exist_ok=True)
            (world.home / name).symlink_to(places.home() / name)
        return world

    @property
    def env(self) -> dict[str, str]:
        """The variables of a command."""
        return environment(self.home, {"TMPDIR": str(self.temporary)})

    def start(self, out: Path, *args: str) -> subprocess.Popen[bytes]:
        """A run, with its stderr beside its directory."""
        with out.with_suffix(".err").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "agent_runner", *args, "--out", str(out)],
                cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL, stderr=err,
            )  # fmt: skip

    def clean(self) -> set[str]:
        """Runs `clean`, which must succeed, and returns the runs it removed something of."""
        done = subprocess.run(
            [sys.executable, "-m", "agent_runner", "clean", "--json"],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        said = json.loads(done.stdout)
        assert said["failed"] == [], said
        return {row["run"] for row in said["removed"]}

    def left(self, runs: Iterable[Path]) -> dict[str, list[str]]:
        """Everything there still is, by kind; kinds of which there is nothing are left out."""
        filters = [f"label=agent_runner.run={RunDir(out).run_id}" for out in runs]
        found = {
            "containers": [name for out in runs for name in ours(out)],
            "volumes": [v for each in filters for v in docker("volume", "ls", "-qf", each)],
            "networks": [n for each in filters for n in docker("network", "ls", "-qf", each)],
            "half-made images": docker("images", "-q", "agent_runner/rootfs"),
            "files": [str(path) for path in self._files()],
            "processes": list(self._processes()),
        }
        return {kind: names for kind, names in found.items() if names}

    def _files(self) -> Iterator[Path]:
        yield from self.temporary.iterdir()
        yield from self.home.glob("mirrors/*.part")
        yield from self.home.glob("mirrors/*.git/**/*.lock")
        for lock in (*self.home.glob("mirrors/*.lock"), *self.home.glob("locks/*.lock")):
            try:
                with FileLock(lock, blocking=False):
                    pass
            except Timeout:
                yield lock

    def _processes(self) -> Iterator[str]:
        """Whatever was started with this state directory in its environment, zombies excepted."""
        mark = f"AGENT_RUNNER_HOME={self.home}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
