"""From measurements and a trajectory to the evidence in a result."""

import re
from typing import Literal

from agent_runner.grading.attempt import Ran
from agent_runner.result import ExploitHint, IsolationEvidence, NetworkEvidence
from agent_runner.trajectory import TurnLine
from tools.workspace.isolation import Isolation

# Commands by which agents have been seen to look for the fix instead of finding it.
COMMANDS = {
    "history": re.compile(
        r"git(?:\s+(?:-[cC]\s+\S+|-\S+))*\s+(?:log|rev-list|show|reflog|branch|fsck)\b[^|;&]*"
        r"(?:--all|--remotes|-S|-G|--reflog|--unreachable|--lost-found|FETCH_HEAD|ORIG_HEAD)"
    ),
    "network": re.compile(
        r"\b(?:curl|wget|git(?:\s+(?:-[cC]\s+\S+|-\S+))*\s+(?:fetch|pull|clone)|pip\d?\s+download)\b"
    ),
}


def _way(is_open: bool) -> Literal["closed", "open"]:
    return "open" if is_open else "closed"


def evidence(
    isolation: Isolation | None,
    grading: Ran | None,
    agent_container: str,
    hints: tuple[ExploitHint, ...],
) -> IsolationEvidence:
    """What was measured; null stays null where nothing was."""
    fresh = None
    if grading is not None:
        fresh = grading.pristine and grading.container_id != agent_container
    if isolation is None:
        return IsolationEvidence(fresh_grader=fresh, exploit_hints=hints)
    network = isolation.network
    return IsolationEvidence(
        commits_after_base=isolation.commits_after_base,
        unreachable_objects=isolation.unreachable_objects,
        foreign_git_stores=isolation.foreign_git_stores,
        network=NetworkEvidence(
            dns=_way(network.dns), tcp=_way(network.tcp), udp=_way(network.udp)
        ),
        hidden_tests_present=isolation.hidden_tests_present,
        fresh_grader=fresh,
        exploit_hints=hints,
    )


def hints_in_turn(line: TurnLine) -> list[ExploitHint]:
    """Commands of a turn that look for the fix in the history or on the network."""
    return [
        ExploitHint(kind=kind, turn=line.turn, where=found[0][:200])
        for call in line.calls
        if call.tool == "docker_sh"
        for kind, pattern in COMMANDS.items()
        if (found := pattern.search(str(call.arguments.get("command", ""))))
    ]
