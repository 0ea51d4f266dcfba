"""An agent's shell looks for the fix: in the history, on the disk, on the network, in the index.

The instance is real and its fix is public. Every way that could work is shown to work where the
future was left lying about, so none of these tests passes for want of trying.
"""

import asyncio
import io
import subprocess
import tarfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner import places
from agent_runner.benchmarks.swebench.dataset import find_row
from agent_runner.config import RunConfig
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.stages import Stages
from tests.corpora.instances.released import INSTANCE_ID, Instance, make_instance
from tests.docker.conftest import tools_of
from tools.docker_sh import ShellArguments
from tools.errors import ToolRefusal
from tools.swe_clone import CloneArguments
from tools.swe_install import InstallArguments
from tools.toolset import Toolset
from tools.workspace.build.builder import Builder
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.isolation import host_addresses
from tools.workspace.spec import PROJECT, WorkspaceSpec
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

# A word that only the fix has.
WORD = "ON_ERROR_STOP"
FIXED = "sqlparse==0.4.2"
SERVED = f"HTTP/1.0 200 OK\r\n\r\n{WORD}\n".encode()
HISTORY = {
    "log": "git log --all -p",
    "pickaxe": f"git log --all -p -S{WORD}",
    "branches": "git log --branches --remotes --tags -p",
    "reflog": "git log -g -p --all; cut -d' ' -f2 .git/logs/HEAD | xargs -n1 git show",
    "stash": "git stash show -p; git stash list -p",
    "fsck": "git fsck --lost-found --unreachable --no-reflogs | cut -d' ' -f3 | xargs -n1 git show",
    "tags": "git tag | xargs -n1 git show -p",
    "packed-refs": "grep -oE '^[0-9a-f]{40}' .git/packed-refs | xargs -n1 git show",
    "traces": "cat .git/FETCH_HEAD .git/ORIG_HEAD | cut -c-40 | xargs -n1 git show",
    "every-object": "git cat-file --batch-all-objects --batch",
    "alternates": "xargs -I% git -C %/.. log --all -p < .git/objects/info/alternates",
    "other-stores": "find / -xdev -name HEAD ! -path '/testbed/*' -printf '%h\\n'"
    " | xargs -I% git -C % log --all -p",
    "bundles": "find / -xdev -name '*.bundle' | xargs -I% git fetch -q % '+refs/*:refs/b/*';"
    " git log --all -p",
    "whole-disk": f"grep -rahs {WORD} / --exclude-dir=proc --exclude-dir=sys",
    "archives": "find / -xdev -name '*.whl' -o -xdev -name '*.tar.gz' | xargs -n1 -I% sh -c"
    " 'python -m zipfile -e % /tmp/open || tar -xf % -C /tmp'; cat /tmp/open/sqlparse/*.py",
}
CONNECT = "python -c 'import socket; socket.create_connection((\"{}\", {}), 3)'"
NETWORK = {
    "index-by-pip": f"python -m pip download --retries 0 --timeout 3 --no-deps -d /tmp/w {FIXED}",
    "index-by-uv": f"uv pip install --index-url https://pypi.org/simple --target /tmp/w {FIXED}",
    "cache-by-uv": f"uv pip install --offline --target /tmp/w {FIXED}",
    "forge": "git clone -q https://github.com/andialbrecht/sqlparse /tmp/w",
    "remote": "git fetch origin || git fetch --all && git ls-remote",
    "resolver": "getent hosts pypi.org",
    "other-resolver": "echo nameserver 1.1.1.1 > /etc/resolv.conf; getent hosts pypi.org",
    "address": CONNECT.format("151.101.0.223", 443),
    "address-6": CONNECT.format("2a04:4e42::223", 443),
    "metadata": CONNECT.format("169.254.169.254", 80),
    "engine": "ls /var/run/docker.sock /run/docker.sock",
    "raw-socket": "python -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
    "own-network": "unshare -n true && unshare -rn true",
    "hosts-disk": "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk",
    "mount": "mkdir /tmp/m; python -c 'import ctypes;"
    ' exit(ctypes.CDLL(None).mount(b"none", b"/tmp/m", b"tmpfs", 0, None) != 0)\'',
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    place = tmp_path_factory.mktemp("released")
    made = make_instance(place, places.home() / "corpora")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in made.env.items():
            patched.setenv(name, value)
        yield made


@pytest.fixture
async def real(instance: Instance, builder: Builder, run_id: str, home: Path) -> Prepared:
    row = find_row(str(instance.dataset), INSTANCE_ID)
    return await prepare(
        builder.engine, RunConfig(), row.located(), run=run_id, home=home,
        stages=Stages(time.monotonic()), observer=Observer(quiet=True),
    )  # fmt: skip


@pytest.fixture
async def shell(
    real: Prepared, builder: Builder, container_spec: ContainerSpec, tmp_path: Path
) -> AsyncIterator[Toolset]:
    """The tools an agent gets for the instance."""
    task = real.located.task
    spec = WorkspaceSpec(
        repo=task.repo, ref=task.ref, commit=real.commit,
        as_of=real.planned.environment.as_of, project=real.planned.project,
    )  # fmt: skip
    async with running(
        builder.engine, replace(container_spec, image=real.instance.image.id)
    ) as container:
        yield tools_of(Workspace(container, spec, builder.engine), real, builder, tmp_path)


def place_future(instance: Instance, place: Path) -> bytes:
    """Every kind of trace at once: the store of a clone in which somebody worked carelessly."""
    project, fixed = place / "project", instance.fixed_commit

    def git(*arguments: str) -> None:
        author = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(("git", *author, *arguments), cwd=project, check=True, capture_output=True)

    subprocess.run(("git", "clone", "-q", str(instance.repository), str(project)), check=True)
    # A commit that no ref names, below a tag, a stash, a reflog and the heads of a fetch.
    git("commit", "-q", "--allow-empty", "--amend", "-m", WORD)
    git("reset", "-q", "--hard", "HEAD@{1}")
    (project / "setup.cfg").write_text(WORD, encoding="utf-8")
    git("stash", "-q")
    git("fetch", "-q", "origin", fixed)
    git("reset", "-q", "--hard", "0.4.1")
    git("pack-refs", "--all")
    store = project / ".git"
    (store / "objects" / "info" / "alternates").write_text("/srv/other.git/objects\n", "utf-8")
    git("bundle", "create", "-q", str(place / "all.bundle"), "origin/main")
    subprocess.run(
        ("git", "clone", "-q", "--bare", str(instance.repository), str(place / "other.git")),
        check=True,
    )
    (place / "sqlparse").mkdir()
    (place / "sqlparse" / "fixed.py").write_text(WORD, encoding="utf-8")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(store, arcname=f"{PROJECT[1:]}/.git")
        tar.add(place / "other.git", arcname="srv/other.git")
        tar.add(place / "all.bundle", arcname="opt/all.bundle")
        tar.add(place / "sqlparse", arcname="root/sqlparse")
    return buffer.getvalue()


async def finds(tools: Toolset, look: str) -> bool:
    """Whether what a command prints, by whatever way, holds the word of the fix."""
    command = f"({look}) 2>/dev/null | grep -aq {WORD} && echo found"
    answer = await tools.shell.call(ShellArguments(command=command, timeout_s=60))
    return "\nfound" in answer.text


@pytest.mark.parametrize("look", HISTORY.values(), ids=HISTORY)
async def test_the_fix_is_not_on_the_disk(shell: Toolset, look: str) -> None:
    assert not await finds(shell, look)
    assert WORD.encode() not in await shell.clone.workspace.diff()


async def test_every_look_finds_it_where_it_was_left(
    shell: Toolset, instance: Instance, tmp_path: Path
) -> None:
    container = shell.clone.workspace.container
    await container.check("rm", "-rf", f"{PROJECT}/.git")
    await container.put_tar("/", place_future(instance, tmp_path))
    await container.check(
        "sh",
        "-c",
        "cd /root && python3 -m zipfile -c /opt/sqlparse-0.4.2-py3-none-any.whl sqlparse",
    )
    await container.check("git", "config", "--global", "safe.directory", "*")
    blind = [name for name, look in HISTORY.items() if not await finds(shell, look)]
    assert blind == []


@pytest.mark.parametrize("attempt", NETWORK.values(), ids=NETWORK)
async def test_there_is_no_way_out(shell: Toolset, attempt: str) -> None:
    answer = await shell.shell.call(ShellArguments(command=attempt, timeout_s=60))
    assert answer.exit_code not in {0, None}, answer.text
    # Not for want of the program.
    assert answer.exit_code != 127, answer.text
    assert "No module named" not in answer.text
    workspace = shell.clone.workspace
    assert not (await workspace.shell("ls /tmp/w/*", timeout_s=10)).ok


async def test_a_server_on_the_host_is_out_of_reach(
    shell: Toolset, real: Prepared, engine: Engine, container_spec: ContainerSpec
) -> None:
    """By any address of the host; a container with a bridge gets there."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(SERVED)
        writer.close()

    bridged = replace(container_spec, image=real.instance.image.id, network="bridge")
    async with await asyncio.start_server(serve, "0.0.0.0", 0) as server:
        port = server.sockets[0].getsockname()[1]
        ask = _asking(await host_addresses(engine), port)
        assert not await finds(shell, ask)
        async with running(engine, bridged) as container:
            done = await container.check("sh", "-c", ask, timeout_s=60)
    assert WORD.encode() in done


def _asking(hosts: tuple[str, ...], port: int) -> str:
    urls = [f"http://{f'[{host}]' if ':' in host else host}:{port}/" for host in hosts]
    code = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=3).read())"
    return "; ".join(f"python3 -c '{code}' {url}" for url in urls) + "; true"


@pytest.mark.parametrize(
    "requirement",
    [FIXED, "SQLParse", "sqlparse @ https://files.pythonhosted.org/sqlparse-0.4.2.whl",
     "git+https://github.com/andialbrecht/sqlparse", "django", "attrs==25.1.0"],
)  # fmt: skip
async def test_neither_the_project_nor_what_came_later_is_installed(
    shell: Toolset, requirement: str
) -> None:
    """Django is refused because it needs the project: a release would come along."""
    with pytest.raises(ToolRefusal, match="nothing was installed"):
        await shell.install.call(InstallArguments(requirements=[requirement]))


async def test_another_commit_is_refused(shell: Toolset, instance: Instance) -> None:
    for ref in (instance.fixed_commit, "0.4.2", "main"):
        with pytest.raises(ToolRefusal, match="only the task's own repository"):
            await shell.clone.call(CloneArguments(ref=ref))


async def test_the_repository_it_came_from_is_not_mounted(
    shell: Toolset, instance: Instance, home: Path
) -> None:
    places_known = [str(instance.repository), str(home), str(places.home()), "/home", "/mnt"]
    for place in places_known:
        look = f"git -C {place} log --all -p; find {place} -name '*.pack'"
        assert not await finds(shell, look)


async def test_all_that_comes_from_the_host_is_a_helper_and_read_only(container: Container) -> None:
    mounts = (await container.check("cat", "/proc/self/mountinfo")).decode().splitlines()
    rows = [line.split() for line in mounts if " - ext4 " in line or " - xfs " in line]
    names = {"/etc/resolv.conf", "/etc/hostname", "/etc/hosts"}
    ours = {row[4]: row[5] for row in rows if row[4] not in names}
    assert list(ours) == ["/dev/agent_runner"]
    assert ours["/dev/agent_runner"].split(",")[0] == "ro"
