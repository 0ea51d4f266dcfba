"""The documentation is run: what its pages say one types is typed, and what they show appears.

In blocks marked `console`, `$ ` starts a command and `> ` goes on with it; what follows is its
output. `...` stands for any text, on a line of its own for any lines; times, tokens and stamps
differ. A command succeeds unless the next one is `echo $?`. Blocks marked `sh` need a key: without
one they must say exactly that.

`make` is not run: its target must exist, and for `make demo` the command behind it runs in its
place. `make test` has none here, as this test is part of it.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LIMIT_S = 600
MARK = "typed-and-ended"
NO_KEY = "agent_runner: CHUTES_API_KEY is not set..."
BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What only some runs say: that something takes long, or that an earlier one was killed.
AT_TIMES = re.compile(r"^(?:.* \.\.\.|[^{\n]*: \d+\.\d s|removed .* of run .*)\n", re.MULTILINE)
VARYING = (
    (re.compile(r"\b\d+\.\d+ s\b"), "N s"),
    (re.compile(r"\b\d+\+\d+ tokens"), "N tokens"),
    (re.compile(r'"duration_s":[\d.]+'), '"duration_s":N'),
    (re.compile(r"\d{8}T\d{6}\.\d{3}Z"), "STAMP"),
    (re.compile(r"Python 3\.\d+\.\d+"), "Python 3"),
)


@dataclass(frozen=True)
class Typed:
    """A command of a page, what it should print and how it should end."""

    line: str
    output: str
    exit_code: int | None


@dataclass(frozen=True)
class Printed:
    """What a command did."""

    output: str
    exit_code: int


def commands(page: str) -> list[Typed]:
    """The commands of a page, in order."""
    found: list[Typed] = []
    for kind, block in BLOCK.findall(page):
        if kind == "sh":
            lines = block.splitlines()
            found += [Typed(line, NO_KEY, 2) for line in lines if not line.startswith("export ")]
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *rest = part.splitlines()
            more = [line[2:] for line in rest if f"{line} ".startswith("> ")]
            output = [line for line in rest if not f"{line} ".startswith("> ")]
            if first == "echo $?":
                found[-1] = Typed(found[-1].line, found[-1].output, None)
            found.append(Typed("\n".join((first, *more)), "\n".join(output), 0))
    return found


def matches(shown: str, printed: str) -> bool:
    """Whether a command printed what a page shows."""
    lines = steady(shown).splitlines()
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in lines
    )
    return re.fullmatch(pattern, steady(AT_TIMES.sub("", printed))) is not None


def steady(text: str) -> str:
    """The text with what differs from run to run replaced, and a newline at its end."""
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text.rstrip("\n") + "\n" if text else ""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A directory that looks like the checkout and keeps what the commands write to itself."""
    tree = tmp_path / "checkout"
    tree.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name != "sandbox":
            (tree / entry.name).symlink_to(entry)
    (tree / ".venv").symlink_to(sys.prefix)
    yield tree
    asyncio.run(_remove_workspaces(list(tree.glob("sandbox/runs/*"))))


async def _remove_workspaces(runs: list[Path]) -> None:
    from agent_runner.run_dir import RunDir
    from tools.workspace.engine import Engine
    from tools.workspace.leftovers import remove_run

    async with Engine() as engine:
        for path in runs:
            await remove_run(engine, RunDir(path).run_id)


def environment(tree: Path, home: Path) -> dict[str, str]:
    """The user's own, without keys and without the make that may run these tests."""
    left_out = ("CHUTES_", "AGENT_RUNNER_", "MAKE", "MFLAGS", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {
        "PATH": f"{tree}/.venv/bin:{kept['PATH']}",
        "AGENT_RUNNER_HOME": str(home),
        "AGENT_RUNNER_ROOT": str(tree),
    }


def behind(line: str, tree: Path, env: dict[str, str]) -> str:
    """A command to run in the place of one that is typed; see the module."""
    if not line.startswith("make "):
        return line
    # A directory of that name would do for make itself: `tests`, `docker`.
    target = line.removeprefix("make ")
    assert re.search(rf"^{target}:", (tree / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    argv = ("make", "--dry-run", "--no-print-directory", target)
    dry = subprocess.run(argv, cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, f"{line}: {dry.stderr}"
    return dry.stdout.splitlines()[-1] if target == "demo" else ":"


def run(lines: list[str], tree: Path, env: dict[str, str]) -> list[Printed]:
    """Types lines into one shell, as a reader would; stdout and stderr come as on a terminal."""
    script = "".join(
        f"{line}\ncode=$?; printf '{MARK} %s\\n' $code; (exit $code)\n" for line in lines
    )
    file = tree.parent / "typed.sh"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["bash", str(file)], cwd=tree, env=env, text=True, check=False, timeout=LIMIT_S,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    parts = re.split(rf"{MARK} (\d+)\n", done.stdout)
    return [Printed(text, int(code)) for text, code in zip(parts[:-1:2], parts[1::2], strict=True)]


@pytest.mark.e2e
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_happens(page: Path, tree: Path, home: Path) -> None:
    typed = commands(page.read_text(encoding="utf-8"))
    assert typed, f"{page.name} has no commands"
    env = environment(tree, home)
    printed = run([behind(one.line, tree, env) for one in typed], tree, env)
    assert len(printed) == len(typed)
    for wanted, got in zip(typed, printed, strict=True):
        said = f"$ {wanted.line}\n{got.output}(exit code {got.exit_code})\n--- the page shows:\n"
        assert wanted.exit_code in {None, got.exit_code}, said + wanted.output
        assert matches(wanted.output, got.output), said + wanted.output


def test_output_that_differs_is_not_taken_for_what_a_page_shows() -> None:
    shown = 'graded: resolved\nresolved in 8.0 s\n...\n{"status":"resolved",...}'
    assert matches(shown, 'graded: resolved\nresolved in 9.1 s\n{"status":"resolved","turns":7}\n')
    assert not matches(shown, 'graded: resolved\nresolved in 9.1 s\n{"status":"unresolved",""}\n')
    assert not matches(shown, 'resolved in 9.1 s\n{"status":"resolved","turns":7}\n')
    assert matches("", "")
    assert not matches("", "a line\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_word_of_the_contract_is_explained() -> None:
    from agent_runner.errors import FaultKind, ProviderKind
    from agent_runner.result import Status, Termination
    from agent_runner.task import Task

    tasks = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "how-a-run-works.md").read_text(encoding="utf-8")
    words = {str(word) for kind in (Status, Termination, FaultKind, ProviderKind) for word in kind}
    assert {key for key in Task.model_fields if f"`{key}`" not in tasks} == set()
    assert {word for word in words if f"`{word}`" not in page} == set()
