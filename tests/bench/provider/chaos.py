"""Episodes against an endpoint that fails: the same ends as without, and at what price."""

from tests.bench.provider.storm import RATE, Storm, storm
from tests.bench.row import Count, Row, Series
from tests.bench.setting import Setting

EPISODES, TURNS = 100, 20
MOST_REQUESTS = 1.6


async def measure(setting: Setting) -> list[Row | Count]:
    """Undisturbed first, then with faults."""
    calm = await storm(setting.scratch, EPISODES, TURNS, rate=0.0)
    wild = await storm(setting.scratch, EPISODES, TURNS, rate=RATE)
    return rows(calm, wild)


def rows(calm: Storm, wild: Storm) -> list[Row | Count]:
    """What must hold."""
    pairs = zip(calm.ended, wild.ended, strict=True)
    many = f"{EPISODES} episodes of {TURNS} turns, {RATE:.0%} of requests failing"
    prompt, completion = wild.tokens()
    told, billed = wild.stats.told, wild.stats.billed
    asked = {"undisturbed": calm.stats.requests, "with faults": wild.stats.requests}
    return [
        Count(
            what=f"{many}: ended as without faults",
            unit="",
            measured=sum(one == other for one, other in pairs),
            at_least=EPISODES,
            beside={f"fault {name}": count for name, count in wild.stats.by_fault.items()},
        ),
        Count(
            what="requests, of those undisturbed",
            unit="x",
            measured=round(wild.stats.requests / calm.stats.requests, 3),
            at_most=MOST_REQUESTS,
            beside=asked,
        ),
        Count(
            what="requests the endpoint counted, less the attempts in our records",
            unit="",
            measured=abs(wild.stats.requests - len(wild.attempts)),
            at_most=0,
            beside={"attempts": len(wild.attempts)},
        ),
        Count(
            what="tokens the endpoint told, less those in our records",
            unit="",
            measured=abs(told.prompt - prompt) + abs(told.completion - completion),
            at_most=0,
            beside={
                "told": told.prompt + told.completion,
                "billed, of replies that told nothing": billed.prompt
                + billed.completion
                - told.prompt
                - told.completion,
            },
        ),
        Row(
            what=f"{many}: wall",
            measured=Series(name="with faults", samples_s=(wild.wall_s,)),
            baseline=Series(name="undisturbed", samples_s=(calm.wall_s,)),
        ),
    ]
