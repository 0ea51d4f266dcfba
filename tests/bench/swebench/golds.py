"""Whether the reference patches resolve on our environments, with and without the facts file."""

from collections.abc import Sequence

from tests.bench.row import Count
from tests.bench.say import say
from tests.bench.swebench import ours
from tests.bench.swebench.graded import Group, Sitting
from tests.bench.swebench.journal import kept
from tests.bench.swebench.verdicts import Work, by_ours

LEAST_ALONE, LEAST_WITH_FACTS = 85.0, 100.0


async def measure(work: Work, without_facts: Sequence[str]) -> list[Count]:
    """Percent of the rows that gold resolves.

    Args:
        without_facts: the settings that leave configs/environments.yaml out.
    """
    group = Group("gold", {row.instance_id: row.patch for row in work.rows.rows})

    async def grade() -> Sitting:
        say(f"gold, by time travel alone: {len(group.patches)} rows")
        return await ours.grade(
            group, work.rows.data, work.out / "gold-alone", workers=work.workers, images={},
            env=work.env, sets=without_facts,
        )  # fmt: skip

    # Layers are made anew where the file makes a difference, so no image is given.
    alone = await kept(
        work.out / "gold-alone.json", Sitting, lambda found: found.key == group.key({}), grade
    )
    return [
        _resolved(await by_ours(work, group), "with configs/environments.yaml", LEAST_WITH_FACTS),
        _resolved(alone, "by time travel alone", LEAST_ALONE),
    ]


def _resolved(sitting: Sitting, how: str, least: float) -> Count:
    for one in sitting.graded:
        if not one.resolved:
            say(f"gold, {how}: {one.instance_id} is not resolved")
    resolved = sum(one.resolved for one in sitting.graded)
    return Count(
        what=f"gold resolves, {how}: {resolved} of {len(sitting.graded)} rows",
        unit="%",
        measured=round(100 * resolved / len(sitting.graded), 1),
        at_least=least,
    )
