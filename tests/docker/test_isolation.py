"""Isolation is measured: what is planted is found, and a clean container shows zeros."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from agent_runner.prepare import Prepared
from tools.workspace.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.isolation import Isolation, Network, measure
from tools.workspace.spec import PROJECT
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

IDENTITY = "git -c user.name=a -c user.email=a@b"
CLEAN = Isolation(0, 0, (), Network(dns=False, tcp=False, udp=False), hidden_tests_present=False)


async def measured(
    container: Container, prepared: Prepared, hidden_blobs: Mapping[str, str] | None = None
) -> Isolation:
    return await measure(
        container, prepared.mirror, prepared.commit, prepared.instance.objects_sha256,
        project=prepared.planned.project, hidden_blobs=hidden_blobs or {},
    )  # fmt: skip


async def plant(container: Container, script: str) -> None:
    done = await container.run(Command(("/bin/sh", "-ec", script), cwd=PROJECT))
    assert done.ok, done.output


@pytest.fixture
async def open_container(
    engine: Engine, prepared: Prepared, container_spec: ContainerSpec
) -> AsyncIterator[Container]:
    """What an agent must never get: the same image with a network."""
    spec = replace(container_spec, image=prepared.instance.image.id, network="bridge")
    async with running(engine, spec) as container:
        yield container


async def test_agents_container_is_clean_and_closed(
    workspace: Workspace, prepared: Prepared
) -> None:
    assert await measured(workspace.container, prepared) == CLEAN


async def test_agents_container_has_only_loopback(workspace: Workspace) -> None:
    assert (await workspace.run("ls", "/sys/class/net")).stdout == b"lo\n"


async def test_measuring_leaves_no_trace(workspace: Workspace, prepared: Prepared) -> None:
    listing = "find / -xdev -newer /tmp/before ! -path '/tmp*' ! -path '/proc*' ! -type d"
    await plant(workspace.container, "touch /tmp/before; sleep 0.05")
    await measured(workspace.container, prepared)
    assert (await workspace.shell(listing, timeout_s=30)).stdout == b""


async def test_open_network_is_reported(open_container: Container, prepared: Prepared) -> None:
    found = await measured(open_container, prepared)
    assert (found.network.tcp, found.network.udp) == (True, True)
    assert replace(found, network=CLEAN.network) == CLEAN


async def test_commit_after_the_base_is_reported(workspace: Workspace, prepared: Prepared) -> None:
    await plant(workspace.container, f"{IDENTITY} commit -q --allow-empty -m later")
    found = await measured(workspace.container, prepared)
    assert (found.commits_after_base, found.unreachable_objects) == (1, 1)


async def test_commit_that_no_ref_names_is_reported(
    workspace: Workspace, prepared: Prepared
) -> None:
    await plant(
        workspace.container,
        f"{IDENTITY} commit -q --allow-empty -m later; git reset -q --hard HEAD~1; "
        "rm -rf .git/logs .git/ORIG_HEAD; git repack -adq --keep-unreachable",
    )
    assert (await measured(workspace.container, prepared)).commits_after_base == 1


async def test_objects_behind_an_alternate_are_reported(
    workspace: Workspace, prepared: Prepared
) -> None:
    await plant(
        workspace.container,
        "git init -q --bare /srv/other; echo fix | git -C /srv/other hash-object -w --stdin; "
        "echo /srv/other/objects > .git/objects/info/alternates",
    )
    found = await measured(workspace.container, prepared)
    assert (found.commits_after_base, found.unreachable_objects) == (0, 1)


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("git clone -q --bare . /srv/copy.git", "/srv/copy.git/"),
        ("git init -q --bare /srv/loose; git push -q /srv/loose HEAD", "/srv/loose/"),
        ("git clone -q . /home/copy", "/home/copy/.git"),
        ("git bundle create -q /opt/all.bundle --all", "/opt/all.bundle"),
        ("touch /opt/spanset-9.9-py3-none-any.whl", "/opt/spanset-9.9-py3-none-any.whl"),
        ("touch /var/Spanset-9.9.tar.gz", "/var/Spanset-9.9.tar.gz"),
        ("mkdir /opt/spanset-9.9.dist-info", "/opt/spanset-9.9.dist-info"),
    ],
    ids=["bare", "bare-without-packs", "clone", "bundle", "wheel", "sdist", "installed-copy"],
)
async def test_other_copy_of_the_project_is_reported(
    workspace: Workspace, prepared: Prepared, script: str, path: str
) -> None:
    await plant(workspace.container, script)
    found = (await measured(workspace.container, prepared)).foreign_git_stores
    assert found
    assert all(name.startswith(path) for name in found)


async def test_everything_at_once_is_reported(
    open_container: Container, prepared: Prepared
) -> None:
    await plant(
        open_container,
        f"{IDENTITY} commit -q --allow-empty -m later; git clone -q --bare . /srv/copy.git; "
        "touch /opt/spanset-9.9-py3-none-any.whl",
    )
    found = await measured(open_container, prepared)
    assert found.commits_after_base == 1
    assert len(found.foreign_git_stores) >= 2
    assert found.network.tcp
