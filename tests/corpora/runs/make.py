"""Makes the corpus of real test runs: `python -m tests.corpora.runs.make [name ...]`.

Every run of `runs.RUNS` is started once, with the command that `swe_pytest` would start, and what
it left is written to `entries/<name>/` as it came: `stdout`, `stderr`, `report.xml` and `run.json`.
What the engine must say about it stands in `expected.yaml`, which is written by hand, never here.

Everything happens under `/tmp/run` and on a host called `testbed`, so that no entry names the
machine it was made on. It needs Linux, `unshare` from util-linux, a package index, and Pythons 2.7
and 3.6 to 3.13, which are looked for by uv, in `PATH` and among pyenv's.
"""

import json
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.corpora.runs.environment import ENVIRONMENTS, Environment
from tests.corpora.runs.runs import RUNS, Run
from tools.testruns.pytest_command import pytest_argv
from tools.testruns.runner import CHOOSES_BY_NAME, Runner, project_argv
from tools.workspace.spec import ENV

ENTRIES = Path(__file__).parent / "entries"
ROOT = Path("/tmp/run")
PROJECT = ROOT / "testbed"
REPORT = ROOT / "reports" / "1.xml"
PACKED_FROM_BYTES = 100_000
UV = str(Path(sys.executable).with_name("uv"))
ON_TESTBED = ("unshare", "--uts", *(() if os.getuid() == 0 else ("--map-root-user",)))


def main(names: list[str]) -> None:
    """Makes the named entries, without names all of them; what is no run any more goes."""
    unknown = set(names) - RUNS.keys()
    if unknown:
        raise SystemExit(f"no such runs: {', '.join(sorted(unknown))}")
    for left in {path.name for path in ENTRIES.iterdir()} - RUNS.keys():
        shutil.rmtree(ENTRIES / left)
    ROOT.mkdir(exist_ok=True)
    for name in names or sorted(RUNS, key=lambda name: RUNS[name].environment):
        sys.stderr.write(f"{name}\n")
        make(name, RUNS[name])


def make(name: str, run: Run) -> None:
    """Starts one run and keeps what it leaves."""
    environment = ENVIRONMENTS[run.environment]
    binaries = set_up(run.environment, environment)
    lay_out(run, environment)
    done, timed_out = start(run, command(run), binaries)
    entry = ENTRIES / name
    shutil.rmtree(entry, ignore_errors=True)
    entry.mkdir()
    keep(entry / "stdout", done.stdout)
    keep(entry / "stderr", done.stderr)
    if REPORT.exists():
        keep(entry / "report.xml", REPORT.read_bytes())
    code = done.returncode
    facts = {
        "argv": done.args,
        "exit_code": None if timed_out else 128 - code if code < 0 else code,
        "timed_out": timed_out,
        "runner": run.runner,
        "paths": run.paths,
        "k": run.k,
        "python": output(
            str(binaries / "python"), "-c", "import sys; print(sys.version.split()[0])"
        ),
        "packages": installed(binaries, environment),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=True)
    (entry / "run.json").write_text(f"{text}\n", encoding="utf-8")


def command(run: Run) -> tuple[str, ...]:
    """What `swe_pytest` starts; unittest, which it never starts itself, as a task's row may."""
    if run.argv:
        return run.argv
    if run.runner is Runner.PYTEST:
        return pytest_argv(run.paths, run.k, str(REPORT))
    return project_argv(run.runner, run.paths, run.k, CHOOSES_BY_NAME)


def start(
    run: Run, argv: tuple[str, ...], binaries: Path
) -> tuple[subprocess.CompletedProcess[bytes], bool]:
    """Runs a command in the project as a workspace would; its time limit ends all it started."""
    variables = {**ENV, "VIRTUAL_ENV": str(binaries.parent), **run.env}
    variables["PATH"] = f"{binaries}:/usr/local/bin:/usr/bin:/bin"
    variables["HOME"] = str(ROOT)
    process = subprocess.Popen(
        [*ON_TESTBED, "sh", "-c", 'hostname testbed && exec "$@"', "sh", *argv],
        cwd=PROJECT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    timed_out = False
    try:
        out, err = process.communicate(timeout=run.limit_s)
    except subprocess.TimeoutExpired:
        timed_out = True
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return subprocess.CompletedProcess(argv, process.returncode, out, err), timed_out


def lay_out(run: Run, environment: Environment) -> None:
    """Puts the project where runs happen, over a source distribution where one is named."""
    for old in (PROJECT, REPORT.parent):
        shutil.rmtree(old, ignore_errors=True)
    REPORT.parent.mkdir()
    if environment.source:
        unpack(environment, PROJECT)
    for path, content in run.files.items():
        file = PROJECT / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def unpack(environment: Environment, target: Path) -> None:
    """Fetches a source distribution from the index, once, and unpacks it."""
    package = environment.source
    kept = ROOT / "sources" / package
    if not kept.exists():
        output(
            str(python(environment.python)), "-m", "pip", "download", "--quiet", "--no-deps",
            "--no-binary", ":all:", "--dest", str(kept), package,
        )  # fmt: skip
    (archive,) = kept.iterdir()
    unpacked = ROOT / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    (tree,) = unpacked.iterdir()
    tree.rename(target)
    unpacked.rmdir()


def set_up(name: str, environment: Environment) -> Path:
    """The directory of an environment's programs; the environment is made where it is missing."""
    directory = ROOT / name
    if not (directory / "complete").exists():
        shutil.rmtree(directory, ignore_errors=True)
        base = python(environment.python)
        if environment.python == "2.7":  # too old for uv: a copy of the whole Python instead
            shutil.copytree(base.parents[1], directory, symlinks=True)
            if environment.packages:
                output(str(directory / "bin/python"), "-m", "pip", "install", *environment.packages)
        else:
            output(UV, "venv", "--quiet", "--no-project", "--python", str(base), str(directory))
            if environment.packages:
                target = ("--python", str(directory / "bin/python"))
                output(UV, "pip", "install", "--quiet", *target, *environment.packages)
        (directory / "complete").touch()
    return directory / "bin"


def python(version: str) -> Path:
    """A copy of a Python whose path says nothing of this machine."""
    copy = ROOT / f"python{version}"
    program = copy / "bin" / f"python{version}"
    if not program.exists():
        found = find_python(version)
        prefix = Path(output(found, "-c", "import sys; print(sys.prefix)"))
        ignored = shutil.ignore_patterns("test", "__pycache__", "*.a")
        shutil.copytree(prefix, copy, symlinks=True, ignore=ignored)
    return program


def find_python(version: str) -> str:
    """The program of a Python of this minor version that has no virtual environment.

    Raises:
        SystemExit: there is none.
    """
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    if pyenv:
        return str(pyenv[-1])
    asked = subprocess.run(
        [UV, "python", "find", "--no-project", "--system", version], capture_output=True, text=True
    )
    found = asked.stdout.strip() or shutil.which(f"python{version}")
    if not found:
        raise SystemExit(f"there is no Python {version} here")
    return found


def installed(binaries: Path, environment: Environment) -> list[str]:
    """The versions of the packages that the environment names."""
    code = "import pkg_resources as p\nfor d in p.working_set: print('%s==%s' % (d.key, d.version))"
    if environment.python == "2.7":
        lines = output(str(binaries / "python"), "-c", code)
    else:
        lines = output(UV, "pip", "freeze", "--python", str(binaries / "python"))
    named = {re.split("[=<>]", package)[0].lower() for package in environment.packages}
    return [line for line in lines.splitlines() if line.split("==")[0].lower() in named]


def keep(file: Path, content: bytes) -> None:
    """Writes a stream as it came; one that is long is packed."""
    if len(content) > PACKED_FROM_BYTES:
        file = file.with_name(f"{file.name}.xz")
        content = lzma.compress(content, preset=9)
    file.write_bytes(content)


def output(*argv: str) -> str:
    """What a command of ours prints.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
