"""Which tests a fix makes pass, found by plain pytest in a virtual environment; no code of ours."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# An outcome per test id, asked of pytest itself: no log is parsed.
PLUGIN = """\
import json, os

outcomes = {}

def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome

def pytest_sessionfinish():
    with open(os.environ["TRUTH_FILE"], "w", encoding="utf-8") as file:
        json.dump(outcomes, file)
"""
PYTEST = "pytest==7.4.4"


@dataclass(frozen=True)
class Truth:
    """What a row's two lists must say; ids with white space are left out, no log can name them."""

    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]


def truth_of(
    repository: Path, change: tuple[str, str, str], test_files: tuple[str, ...], place: Path
) -> Truth:
    """Runs the changed tests with and without the fix.

    Args:
        change: base commit, patch, test patch.
    """
    base, patch, test_patch = change
    uv = str(Path(sys.executable).with_name("uv"))
    venv = place / "venv"
    _run(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(venv))
    python = str(venv / "bin" / "python")
    _run(uv, "pip", "install", "--quiet", "--python", python, PYTEST)
    (place / "plugin").mkdir()
    (place / "plugin" / "truth_plugin.py").write_text(PLUGIN, encoding="utf-8")
    found = []
    for name, patches in (("before", (test_patch,)), ("after", (test_patch, patch))):
        tree = place / name
        tree.mkdir()
        archive = _run("git", "archive", base, cwd=repository)
        _run("tar", "-x", "-C", str(tree), given=archive)
        for each in patches:
            _run("git", "apply", "-", cwd=tree, given=each.encode())
        found.append(_outcomes(python, tree, test_files, place / f"{name}.json"))
    before, after = found
    passing = sorted(name for name, outcome in after.items() if outcome == "passed")
    named = [name for name in passing if not any(c.isspace() for c in name)]
    return Truth(
        fail_to_pass=tuple(name for name in named if before.get(name) != "passed"),
        pass_to_pass=tuple(name for name in named if before.get(name) == "passed"),
    )


def _outcomes(python: str, tree: Path, files: tuple[str, ...], out: Path) -> dict[str, str]:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{out.parent / 'plugin'}:{tree}",
        "TRUTH_FILE": str(out),
    }
    argv = (python, "-m", "pytest", "-q", "-p", "truth_plugin", "-p", "no:cacheprovider", *files)
    subprocess.run(argv, cwd=tree, env=env, capture_output=True, check=False)
    found: dict[str, str] = json.loads(out.read_text(encoding="utf-8"))
    return found


def _run(*argv: str, cwd: Path | None = None, given: bytes = b"") -> bytes:
    return subprocess.run(argv, cwd=cwd, input=given, capture_output=True, check=True).stdout
