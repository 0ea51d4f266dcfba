"""How long `batch --resume` of a batch with nothing left to run takes, and its `--help`."""

from agent_runner.batch.numbers.write import NAME
from tests.bench.batches.finished import write_finished
from tests.bench.process import AGENT_RUNNER, PYTHON, timed
from tests.bench.row import Count, Row, by_turns
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
    again = (*AGENT_RUNNER, "batch", "--resume", str(batch))

    async def sums_up() -> float:
        (batch / NAME).unlink(missing_ok=True)
        return await timed(*again)

    first, kept, baseline = await by_turns(
        ROUNDS,
        {
            "without summary.json": sums_up,
            "batch --resume": lambda: timed(*again),
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
            measured=kept,
            baseline=baseline,
        ),
        Row(what="the same, killed before its summary.json", must_s=MUST_S, measured=first),
        Count(what="a line of its results.jsonl", unit="kB", measured=size / count / KB),
        Row(what="batch --help", must_s=HELP_MUST_S, measured=text),
    ]
