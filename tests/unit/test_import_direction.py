"""Imports go one way: workspace <- tools <- the run, whose command line nobody imports."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.unit.sources import PACKAGES, ROOT, files, statements

# From the ground up; a layer may import its own and those before it.
LAYERS = (
    ("errors", "nearest", "places", "document"),
    ("task", "result", "trajectory", "config", "stages"),
    ("provider", "environments", "grading", "benchmarks", "testing", "termination", "prompts"),
)
GROUND = {name for layer in LAYERS[:2] for name in layer}
MIDDLE = ("provider", "environments", "grading", "benchmarks")
TOP = {"episode", "commands", "cli"}
AUTOGEN = {
    "agent_runner/agent.py",
    "agent_runner/agent_run.py",
    "agent_runner/context.py",
    "agent_runner/policy.py",
    "agent_runner/termination.py",
    "agent_runner/provider/episode_client.py",
    "agent_runner/provider/messages.py",
    "agent_runner/provider/reply.py",
    "tools/workbench.py",
}


@dataclass(frozen=True)
class Import:
    """One imported module, and the file that imports it."""

    file: str
    module: str

    def is_of(self, *packages: str) -> bool:
        return any(self.module == name or self.module.startswith(f"{name}.") for name in packages)


def imported(file: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions too; `from x import y` may name `x.y`."""
    name = file.relative_to(ROOT).as_posix()
    for node in statements(file):
        if isinstance(node, ast.Import):
            yield from (Import(name, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            for each in node.names:
                yield Import(name, f"{node.module}.{each.name}")


@cache
def imports() -> tuple[Import, ...]:
    return tuple(each for file in files() for each in imported(file))


def layer_of(name: str) -> int:
    """Where a name of `agent_runner` stands; what no layer names is above them all."""
    for number, layer in enumerate(LAYERS):
        if name in layer:
            return number
    return len(LAYERS)


def part_of(path: str) -> str:
    """`agent_runner/provider/wire.py` and `agent_runner.provider.wire` are of `provider`."""
    return path.removesuffix(".py").replace("/", ".").split(".")[1]


def test_there_is_something_to_hold() -> None:
    assert len(imports()) > 300
    assert {each.file.partition("/")[0] for each in imports()} == set(PACKAGES)


def test_the_workspace_knows_no_tools_and_no_runs() -> None:
    wrong = [
        each
        for each in imports()
        if each.file.startswith("tools/workspace/")
        and each.is_of("tools", "agent_runner")
        and not each.is_of("tools.workspace")
    ]
    assert wrong == []


def test_the_parts_of_the_workspace_rest_on_those_below() -> None:
    """Commands and histories, then where layers are made, what goes in, and the layers."""
    order = (("channels", "repository"), ("build",), ("packages",), ("layers",))
    above = {
        name: {other for later in order[number:] for other in later} - {name}
        for number, names in enumerate(order)
        for name in names
    }
    wrong = [
        each
        for each in imports()
        for name, others in above.items()
        if each.file.startswith(f"tools/workspace/{name}/")
        and each.is_of(*(f"tools.workspace.{other}" for other in others))
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["tools/patching/", "tools/testruns/"])
def test_engines_of_the_tools_know_themselves_and_refusals(package: str) -> None:
    own = package.strip("/").replace("/", ".")
    wrong = [
        each
        for each in imports()
        if each.file.startswith(package)
        and each.is_of("tools", "agent_runner")
        and not each.is_of(own, "tools.errors")
    ]
    assert wrong == []


def test_tools_know_no_runs() -> None:
    wrong = [e for e in imports() if e.file.startswith("tools/") and e.is_of("agent_runner")]
    assert wrong == []


def test_the_ground_of_the_run_rests_on_nothing_above_it() -> None:
    wrong = [
        each
        for each in imports()
        if each.file.startswith("agent_runner/")
        and each.is_of("agent_runner")
        and each.module.count(".")
        and part_of(each.file) in GROUND
        and layer_of(part_of(each.module)) > layer_of(part_of(each.file))
    ]
    assert [each for each in wrong if part_of(each.module) != "__version__"] == []


def test_what_the_episode_is_made_of_knows_no_episode() -> None:
    wrong = [
        each
        for each in imports()
        if each.file.startswith(tuple(f"agent_runner/{name}/" for name in MIDDLE))
        and each.is_of("agent_runner")
        and part_of(each.module) in TOP
    ]
    assert wrong == []


def test_the_command_line_is_imported_by_its_entry_alone() -> None:
    users = {each.file for each in imports() if each.is_of("agent_runner.cli")}
    assert users == {"agent_runner/__main__.py"}
    below = {each.file for each in imports() if each.is_of("agent_runner.commands")} - {
        "agent_runner/cli.py"
    }
    assert {file for file in below if not file.startswith("agent_runner/commands/")} == set()


def test_the_episode_knows_no_commands() -> None:
    wrong = [
        each
        for each in imports()
        if each.file == "agent_runner/episode.py" and each.is_of("agent_runner.commands")
    ]
    assert wrong == []


def test_which_executor_runs_is_known_to_the_command_line_alone() -> None:
    users = {each.file for each in imports() if each.is_of("agent_runner.executors")}
    outside = {file for file in users if not file.startswith("agent_runner/executors/")}
    assert outside == {"agent_runner/commands/batch_episodes.py"}


def test_the_episode_knows_no_batch() -> None:
    wrong = [
        each
        for each in imports()
        if each.is_of("agent_runner.batch")
        and part_of(each.file) not in {"batch", "executors", "commands"}
        and each.file.startswith("agent_runner/")
    ]
    assert wrong == []


def test_autogen_stays_in_few_files() -> None:
    autogen = ("autogen_core", "autogen_agentchat", "autogen_ext")
    assert {each.file for each in imports() if each.is_of(*autogen)} <= AUTOGEN


def test_no_folder_hides_the_docker_sdk() -> None:
    assert list((ROOT / "docker").rglob("*.py")) == []
    assert not (ROOT / "sandbox" / "__init__.py").exists()
