"""How long `--help` takes."""

from tests.bench.process import AGENT_RUNNER, PYTHON, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import Setting

ROUNDS = 15
MUST_S = 0.35


async def measure(setting: Setting) -> list[Row]:
    """Against the interpreter alone."""
    text, baseline = await by_turns(
        ROUNDS,
        {
            "python -m agent_runner --help": lambda: timed(*AGENT_RUNNER, "--help"),
            "python -c pass": lambda: timed(PYTHON, "-c", "pass"),
        },
    )
    return [Row(what="--help", must_s=MUST_S, measured=text, baseline=baseline)]
