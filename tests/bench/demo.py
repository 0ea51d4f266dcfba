"""`make demo` where everything is there; the first one on a bare machine is measured by hand."""

from tests.bench.process import timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import BASELINE, Setting

ROUNDS = 2
MUST_S = 15.0


async def measure(setting: Setting) -> list[Row]:
    """Against a container that does nothing."""

    async def demo() -> float:
        return await timed("make", "demo", f"ARGS=--out {setting.new_run()}")

    whole, baseline = await by_turns(ROUNDS, {"make demo": demo, BASELINE: setting.docker_run})
    return [Row(what="second make demo", must_s=MUST_S, measured=whole, baseline=baseline)]
