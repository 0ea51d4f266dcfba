"""From measurements and a trajectory to the evidence in a result."""

import re
from collections.abc import Iterable
from typing import Literal

from agent_runner.grading.attempt import Attempt
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
# Files by which a patch can change the test runner itself.
RUNNER_FILES = re.compile(
    r"(?:^|/)(?:conftest\.py|sitecustomize\.py|usercustomize\.py|pytest\.ini|tox\.ini"
    r"|[^/]*\.pth)$|(?:^|/)\.git/"
)
# Both sides: a runner's file that is removed changes how tests run as well. Git quotes names.
PATCHED = re.compile(
    rb'^(?:--- "?a/|\+\+\+ "?b/|(?:rename (?:from|to)|copy to) "?)(.+?)"?[\t\r]*$', re.MULTILINE
)


def _way(is_open: bool) -> Literal["closed", "open"]:
    return "open" if is_open else "closed"


def evidence(
    isolation: Isolation | None,
    grading: Attempt | None,
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


def hints_in_patch(patch: bytes, reference: bytes = b"") -> list[ExploitHint]:
    """Files of a patch that can change how tests run, unless the reference changes them too."""
    expected = set(_runner_files(reference))
    return [
        ExploitHint(kind="test_runner", turn=None, where=path)
        for path in _runner_files(patch)
        if path not in expected
    ]


def _runner_files(patch: bytes) -> Iterable[str]:
    paths = (found.decode("utf-8", "replace") for found in PATCHED.findall(patch))
    return sorted({path for path in paths if RUNNER_FILES.search(path)})
