"""How much of a batch a machine bears at once."""

from agent_runner.batch.order import Capacity
from agent_runner.batch.settings import AS_MANY_AS_IT_BEARS, BatchLimits, Local
from agent_runner.errors import UsageError
from tools.workspace.engine import EngineFacts

MIB = 1 << 20
# For the engine, for us, and for whatever else lives there.
RESERVED_BYTES = 1 << 30
# Without a limit on cpus: agents wait for their model most of the time.
EPISODES_PER_CPU = 16
# Made ready while one works, so that its place is not empty for longer than it has to be: one waits
# in its container, another has its patch collected.
LEAST_AHEAD = 2


def capacity_of(facts: EngineFacts, local: Local, limits: BatchLimits) -> Capacity:
    """What fits the machine's memory and cpus, and no more than was asked for.

    Memory limits are taken at their word: containers that all use what they may still fit.

    Raises:
        UsageError: one container alone is more than the machine has.
    """
    each_bytes = limits.memory_mb * MIB
    if each_bytes > facts.memory_bytes:
        raise UsageError(
            f"limits.memory_mb is {limits.memory_mb}, and the engine's machine has "
            f"{facts.memory_bytes // MIB} MB"
        )
    if limits.cpus is not None and limits.cpus > facts.cpus:
        raise UsageError(
            f"limits.cpus is {limits.cpus:g}, and the engine's machine has {facts.cpus}"
        )
    by_memory = max(2, (facts.memory_bytes - RESERVED_BYTES) // each_bytes)
    gradings = max(1, min(local.gradings, by_memory // 2))
    containers = by_memory - gradings
    by_cpus = int(facts.cpus / limits.cpus) if limits.cpus else facts.cpus * EPISODES_PER_CPU
    bears = max(1, min(containers, by_cpus))
    asked = local.concurrency
    wanted = bears if asked == AS_MANY_AS_IT_BEARS else asked
    granted = min(wanted, bears)
    why = ""
    if granted < wanted:
        why = (
            f"{facts.memory_bytes // MIB} MB and {facts.cpus} cpus bear {granted} containers of "
            f"{limits.memory_mb} MB beside {gradings} gradings; the others wait for room"
        )
    # Agents that began together end together, and then as many are wanted at once.
    ahead = max(LEAST_AHEAD, granted)
    return Capacity(
        asked=asked, episodes=2 * granted + gradings + ahead, containers=granted,
        starts=facts.cpus, ahead=min(ahead, containers - granted), builds=local.builds,
        gradings=gradings, why=why,
    )  # fmt: skip
