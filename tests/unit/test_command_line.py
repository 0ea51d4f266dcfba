"""The command line: what is wrong is said in one line, with exit code 2, and nothing is left."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from agent_runner import __version__, cli
from agent_runner.places import root
from agent_runner.provider.recording.lines import sha256_of

CHECKOUT = Path(__file__).parents[2]
SEED = "spanset__merge-nested"
DIFF = "--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n-a\n+b\n"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `main` in this process, in an empty directory, as a user without any key."""
    place = tmp_path / "root"
    place.mkdir()
    for name in ("configs", "seeds"):
        (place / name).symlink_to(CHECKOUT / name)
    for key in ("CHUTES_API_KEY", "AGENT_RUNNER_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AGENT_RUNNER_ROOT", str(place))
    # Whatever should get past the checks ends at once instead of starting something.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.setenv("AGENT_RUNNER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["agent_runner", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, said.out, said.err)

    return call


def refused(ended: Ended, *said: str) -> None:
    """Holds what every wrong command line must come to."""
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("agent_runner: ")
    assert ended.err.count("\n") == 1
    for part in said:
        assert part in ended.err
    assert not (root() / "sandbox").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task-id", "spanset__merge-neste"], [SEED]),
        (["--tasks", "none.jsonl", "--task-id", "a"], ["none.jsonl"]),
        ([], ["--task-id", "--repo", SEED]),
        (["--task-id", SEED, "--set", "termination.max_turn=3"], ["termination.max_turns"]),
        (["--task-id", SEED, "--set", "max_turns"], ["--set max_turns"]),
        (["--task-id", SEED, "--config", "none.yaml"], ["none.yaml"]),
        (["--task-id", SEED, "--max-turns", "0"], ["--max-turns"]),
        (["--task-id", SEED, "--solver", "magic"], ["--solver", "'gold'"]),
        (["--task-id", SEED, "--unknown"], ["--unknown"]),
        (["--task-id", SEED], ["CHUTES_API_KEY"]),
        (["--task-id", SEED, "--model", "kimmi"], ["kimmi", "kimi"]),
        (["--task-id", SEED, "--model", "unheard/of"], ["known: kimi, ", "needs --base-url"]),
        (["--task-id", SEED, "--set", "base_url=h/v1"], ["--base-url", "h/v1", "http://"]),
        (["doctor", "--provider"], ["CHUTES_API_KEY is not set"]),
        (["doctor", "--provider", "--base-url", "h/v1"], ["--base-url", "h/v1", "http://"]),
        (["doctor", "--provider", "--limit", "0"], ["--limit"]),
        (["--task-id", SEED, "--base-url", "https://other.example/v1"], ["AGENT_RUNNER_API_KEY"]),
        (["--task-id", SEED, "--base-url", "ftp://x"], ["--base-url"]),
        (["--task-id", SEED, "--base-url", "http://[::1]:9", "--prompt", "no.md"], ["no.md"]),
        (["--task-id", SEED, "--solver", "replay"], ["--recording"]),
        (["--task-id", SEED, "--solver", "replay", "--recording", "no.yaml"], ["no.yaml"]),
        (["--task-id", SEED, "--recording", "."], ["provider.jsonl", "No such file"]),
        (["--task-id", SEED, "--recording", "x", "--model", "kimi"], ["--recording is played by"]),
        (["--task-id", SEED, "--recording", "x", "--solver", "gold"], ["--recording is played by"]),
        (["--task-id", SEED, "--set", "record=no way"], ["record: Input should be 'off', 'meta'"]),
        (["--task-id", SEED, "--solver", "patch"], ["--patch"]),
        (["--task-id", SEED, "--patch", "none.diff"], ["none.diff", "No such file"]),
        (["--task-id", SEED, "--ref", "main"], ["--ref belongs to --repo"]),
        (["--task-id", SEED, "--tests", "a.py"], ["--tests belongs to --repo"]),
        (["--repo", "."], [" is no repository"]),
        (["--repo", ""], ["--repo is empty"]),
        (["--repo", "nowhere/at-all"], ["nowhere/at-all is no repository"]),
        (["--repo", ".", "--task-id", "a"], ["--repo is a run of its own"]),
        (["--repo", ".", "--solver", "agent"], ["--repo runs without an agent"]),
        (["frobnicate"], ["No such command 'frobnicate'"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run: Run, arguments: list[str], said: list[str]) -> None:
    refused(run(*arguments), *said)


@pytest.mark.parametrize("command", [["--task-id", SEED], ["doctor"], ["doctor", "--provider"]])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "models.yaml: is empty"),
        ("default: [", "models.yaml: line 1: not valid YAML"),
        ("default: a\nmodels: {}", "models.yaml: models: "),
        ("default: a\nmodels: {a: {model: m, base_url: h/v1}}", '"h/v1" is no URL that begins'),
        (
            "default: a\nmodels: {a: {modle: m, base_url: 'http://h'}}",
            "did you mean models.*.model",
        ),
        (None, "models.yaml: cannot be read: No such file"),
    ],
)
def test_malformed_models_are_told_by_every_command_that_reads_them(
    run: Run, command: list[str], text: str | None, said: str
) -> None:
    configs = root() / "configs"
    configs.unlink()
    configs.mkdir()
    if text is not None:
        (configs / "models.yaml").write_text(text, encoding="utf-8")
    refused(run(*command), said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type": "header", "task_id": "x", "system_prompt": "s"}', ["is a trajectory"]),
        ('{"type": "header", "recording"', ["line 1 is no header"]),
        ("turns: []", ["turns: Tuple should have at least 1 item"]),
        ("\x00", ["not valid YAML"]),
        ("", ["file.x: is empty"]),
    ],
)
def test_what_is_no_recording_is_told_before_anything_starts(
    run: Run, text: str, said: list[str]
) -> None:
    Path("file.x").write_text(text, encoding="utf-8")
    refused(run("--task-id", SEED, "--recording", "file.x"), *said)


def test_a_recording_of_another_task_is_refused(run: Run) -> None:
    profile = '{"name": "s", "model": "m", "base_url": "http://127.0.0.1:9/v1"}'
    header = (
        '{"type": "header", "recording": 1, "level": "full", "task_id": "other", "began": "",'
        f' "agent_runner": "0", "profile": {profile}}}'
    )
    broken = (
        '{"type": "exchange", "call": 1, "attempt": 1, "began": "", "duration_s": 0,'
        ' "invocation_id": null, "request": {"total": 0, "kept": 0, "messages": [], "settings":'
        f' {{}}, "sha256": "{sha256_of([], {})}"}}, "response": null, "broke": "cut"}}'
    )
    Path("provider.jsonl").write_text(f"{header}\n{broken}\n", encoding="utf-8")
    ended = run("--task-id", SEED, "--recording", ".")
    refused(ended, f"was recorded at task other, and this is {SEED}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ["line 2", "no JSON"]),
        ('{"task_id": "b", "repo": "r", "ref": "v1", "pytestk": ""}', ["line 2", "pytest_k"]),
        ('{"task_id": "b", "repo": "nowhere", "ref": "v1"}', ["nowhere is no repository"]),
    ],
)
def test_a_wrong_tasks_file_is_told_before_anything_starts(
    run: Run, line: str, said: list[str]
) -> None:
    first = json.dumps({"task_id": "a", "repo": "r", "ref": "v1", "pytest_k": ""})
    Path("tasks.jsonl").write_text(f"{first}\n{line}\n", encoding="utf-8")
    refused(run("--tasks", "tasks.jsonl", "--task-id", "b", "--solver", "none"), *said)


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (b"", [], "fix.diff"),
        (b"\n \n", [], "fix.diff"),
        (b"\x00\x01\x02\xff" * 20, [], "fix.diff"),
        (b"this is no diff\n", [], "fix.diff"),
        (DIFF.encode(), ["--set", "patch.max_bytes=10"], "oversized"),
        (DIFF.encode() * 2, ["--set", "patch.max_hunks=1"], "oversized"),
    ],
)
def test_a_patch_that_is_none_is_refused(
    run: Run, content: bytes, settings: list[str], said: str
) -> None:
    Path("fix.diff").write_bytes(content)
    refused(run("--task-id", SEED, "--patch", "fix.diff", *settings), said)


def test_a_wrong_configuration_file_is_refused_with_the_nearest_key(run: Run) -> None:
    Path("mine.yaml").write_text("limits: {test_s: 3}\n", encoding="utf-8")
    refused(run("--task-id", SEED, "--config", "mine.yaml"), "limits.test_s", "limits.tests_s")


def test_an_out_that_is_not_empty_is_refused_and_left_as_it_is(run: Run) -> None:
    Path("there").mkdir()
    Path("there/mine.txt").write_text("mine", encoding="utf-8")
    refused(run("--task-id", SEED, "--solver", "none", "--out", "there"), "there is not empty")
    assert [path.name for path in Path("there").iterdir()] == ["mine.txt"]
    refused(run("--task-id", SEED, "--solver", "none", "--out", "there/mine.txt"))


def test_a_prompt_with_an_unknown_name_is_refused(run: Run) -> None:
    Path("mine.md").write_text("Hello.\n--- task ---\n{{ problem }}\n", encoding="utf-8")
    local = ("--base-url", "http://127.0.0.1:9/v1", "--prompt", "mine.md")
    refused(run("--task-id", SEED, *local), "mine.md", "'problem' is undefined")


def test_version_and_help_are_told_on_stdout(run: Run) -> None:
    assert run("--version") == Ended(0, f"agent_runner, version {__version__}\n", "")
    told = run("--help")
    assert (told.code, told.err) == (0, "")
    assert "Exit codes:" in told.out


def test_help_lists_the_commands_that_exist_and_no_others(run: Run) -> None:
    told = run("--help").out
    listed = told.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == list(cli.COMMANDS)
    for name in cli.COMMANDS:
        module = importlib.import_module(f"agent_runner.commands.{name}")
        assert isinstance(module.command, click.Command)
        assert run(name, "--help").out.startswith(f"Usage: agent_runner {name}")


@pytest.mark.parametrize("args", [["--help"], ["batch", "--help"]], ids=" ".join)
def test_the_module_runs_and_its_help_imports_nothing_heavy(args: list[str]) -> None:
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['agent_runner', *{args}]\n"
        "try:\n    runpy.run_module('agent_runner', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "heavy = {'autogen_core', 'autogen_agentchat', 'openai', 'aiohttp', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: agent_runner")
    assert (done.returncode, done.stderr) == (0, "[]\n")
