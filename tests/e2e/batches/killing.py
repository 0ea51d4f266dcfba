"""A batch killed again and again, each time resumed, until nothing is left to do."""

import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.batches.kill_at import POINTS
from tests.e2e.batches.small_batch import SmallBatch, results

RANDOM = "random moment"
LAYER = "layer commit"
# A point that so many processes did not come to is out of reach.
MOST_MISSES = 3
MOST_DELAY_MS = 5.0
# A process that passes its point late has nearly finished: it is killed at the latest after this.
PATIENCE_S = 60.0


@dataclass
class Killing:
    """One batch and how it was killed.

    Attributes:
        done: a line per kill, in words.
        by_point: how often at each point.
        missed: how often a process ended before it came to its point.
    """

    batch: SmallBatch
    out: Path
    rng: random.Random
    done: list[str] = field(default_factory=list)
    by_point: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def run(self, kills: int, at_each_point: int = 1) -> None:
        """Kills the batch so often, and so often at each point, then lets it end.

        A batch that ends before begins anew with what its agents did not solve, so that there is
        always something to kill.
        """
        while (point := self._next(kills, at_each_point)) is not None:
            self._one(point)
            if self.out.exists():
                results(self.out)  # every whole line parses, at every moment
        ended = self.batch.run("--resume", str(self.out), "--quiet")
        assert ended.returncode == 0, ended.stderr

    def _next(self, kills: int, at_each_point: int) -> str | None:
        """The point with the fewest kills while they are too few, then any moment; then none."""
        # Layers are committed while there are any to build, so that comes first.
        within_reach = [point for point in POINTS if self.missed[point] < MOST_MISSES]
        fewest = min(
            within_reach,
            key=lambda point: (self.by_point[point], point != LAYER, self.rng.random()),
            default=None,
        )
        if fewest is not None and self.by_point[fewest] < at_each_point:
            return fewest
        return RANDOM if len(self.done) < kills and self.missed[RANDOM] < MOST_MISSES else None

    def _one(self, point: str) -> None:
        begun = self.out.exists()
        args = (
            ("--resume", str(self.out)) if begun else (str(self.batch.yaml), "--out", str(self.out))
        )
        if begun and len(results(self.out)) == self.batch.episodes:
            args = (*args, "--only", "missing,unresolved")
        mark = self.out.with_name(f"kill-{len(self.done)}.txt")
        process = self._start(point, mark, args)
        began_s = time.monotonic()
        if point == RANDOM:
            time.sleep(self.rng.uniform(0.3, 6.0))
            alive = process.poll() is None
            process.kill()
        else:
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
            alive = mark.exists()
        process.wait()
        if alive:
            said = mark.read_text(encoding="utf-8").strip() if mark.exists() else point
            self.done.append(f"{said}, {time.monotonic() - began_s:.1f} s from its start")
            self.by_point[point] += 1
        else:
            self.missed[point] += 1

    def _start(self, point: str, mark: Path, args: tuple[str, ...]) -> subprocess.Popen[bytes]:
        err = self.out.with_suffix(".err")
        if point == RANDOM:
            return self.batch.start(*args, "--quiet", err=err)
        # There are only so many layers to commit.
        nth = "1" if point == LAYER else str(self.rng.randint(1, 3))
        delay_ms = f"{self.rng.uniform(0, MOST_DELAY_MS):.2f}" if self.rng.random() < 0.8 else "0"
        program = ("tests.e2e.batches.kill_at", point, nth, delay_ms, str(mark))
        return self.batch.start(*args, "--quiet", program=program, err=err)
