"""How long the tests without Docker take."""

from tests.bench.process import PYTHON, timed
from tests.bench.row import Row, by_turns
from tests.bench.setting import Setting

MUST_S = 10.0


async def measure(setting: Setting) -> list[Row]:
    """Against pytest that only says its version."""
    pytest = (PYTHON, "-m", "pytest")
    suite, baseline = await by_turns(
        1,
        {
            "pytest tests/unit": lambda: timed(
                *pytest, "tests/unit", "-q", "-n", "auto", "--dist", "worksteal"
            ),
            "pytest --version": lambda: timed(*pytest, "--version"),
        },
    )
    return [Row(what="unit tests", must_s=MUST_S, measured=suite, baseline=baseline)]
