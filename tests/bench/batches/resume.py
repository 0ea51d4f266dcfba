"""How long `batch --resume` of a batch with nothing left to run takes, and its `--help`."""

from tests.bench.batches.finished import write_finished
from tests.bench.process import AGENT_RUNNER, PYTHON, timed
from tests.bench.row import Count, Row, Series, by_turns
from tests.bench.setting import Setting

TASKS, ATTEMPTS = 500, 4
ROUNDS = 5
HELP_ROUNDS = 15
MUST_S, HELP_MUST_S = 2.0, 0.35
KB = 1000


async def measure(setting: Setting) -> list[Row | Count]:
    """Whole processes: imports, reading, checking, summary and predictions."""
    batch = write_finished(setting.scratch / "finished", TASKS, ATTEMPTS)
    size = (batch / "results.jsonl").stat().st_size
    first = await timed(*AGENT_RUNNER, "batch", "--resume", str(batch))
    again, baseline = await by_turns(
        ROUNDS,
        {
            "batch --resume": lambda: timed(*AGENT_RUNNER, "batch", "--resume", str(batch)),
            "python -c pass": lambda: timed(PYTHON, "-c", "pass"),
        },
    )
    text, _ = await by_turns(
        HELP_ROUNDS,
        {
            "batch --help": lambda: timed(*AGENT_RUNNER, "batch", "--help"),
            "python -c pass": lambda: timed(PYTHON, "-c", "pass"),
        },
    )
    count = TASKS * ATTEMPTS
    return [
        Row(
            what=f"--resume of a finished batch of {count} results",
            must_s=MUST_S,
            measured=again,
            baseline=baseline,
            parts=(Series(name="the first, which sums up", samples_s=(first,)),),
        ),
        Count(what="a line of its results.jsonl", unit="kB", measured=size / count / KB),
        Row(what="batch --help", must_s=HELP_MUST_S, measured=text),
    ]
