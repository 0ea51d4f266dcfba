"""Isolation is measured: what is planted is found, and a clean container shows zeros."""

import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from agent_runner.prepare import Prepared
from tools.workspace import isolation
from tools.workspace.channels.channel import Command
from tools.workspace.container import Container, ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.isolation import Isolation, Network, host_addresses, measure, probe_network
from tools.workspace.spec import PROJECT
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

LATER = "f" * 40
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
        "mkdir -p .git/objects/info; echo /srv/other/objects > .git/objects/info/alternates",
    )
    found = await measured(workspace.container, prepared)
    assert (found.commits_after_base, found.unreachable_objects) == (0, 1)


@pytest.mark.parametrize(
    "script",
    [
        "echo more >> setup.cfg; {identity} stash -q",
        "{identity} tag -a later -m later",
        "{identity} notes add -m 'the fix'",
        "git replace HEAD $({identity} commit-tree -m other HEAD^{{tree}})",
        "git checkout -q --orphan other; {identity} commit -q -m other; git checkout -q main",
        "echo fix | git hash-object -w --stdin",
    ],
    ids=["stash", "tag", "notes", "replace", "orphan-branch", "blob"],
)
async def test_object_of_any_kind_is_reported(
    workspace: Workspace, prepared: Prepared, script: str
) -> None:
    await plant(workspace.container, script.format(identity=IDENTITY))
    assert (await measured(workspace.container, prepared)).unreachable_objects >= 1


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("git fetch -q . HEAD", "FETCH_HEAD"),
        ("git update-ref ORIG_HEAD HEAD", "ORIG_HEAD"),
        ("mkdir -p .git/logs; echo later > .git/logs/HEAD", "logs/HEAD"),
        ("mkdir -p .git/info; git rev-parse HEAD > .git/info/grafts", "info/grafts"),
        (f"echo '{LATER} refs/tags/later' >> .git/packed-refs", "packed-refs"),
        (f"mkdir -p .git/refs/tags; echo {LATER} > .git/refs/tags/later", "refs/tags/later"),
        ("git init -q --bare .git/modules/sub", "modules/sub/HEAD"),
        ("git worktree add -q --detach /srv/tree", "worktrees/tree/HEAD"),
        ("touch .git/objects/pack/tmp_pack_x", "objects/pack/tmp_pack_x"),
        (f"touch .git/objects/pack/pack-{LATER}.pack", f"objects/pack/pack-{LATER}.pack"),
        ("touch .git/shallow", "shallow"),
    ],
    ids=lambda value: value if " " not in value else "",
)
async def test_trace_in_the_projects_own_store_is_reported(
    workspace: Workspace, prepared: Prepared, script: str, path: str
) -> None:
    await plant(workspace.container, script)
    found = (await measured(workspace.container, prepared)).foreign_git_stores
    assert f"{PROJECT}/.git/{path}" in found


WHEEL = (
    "mkdir -p {0}; cd /tmp; mkdir spanset-9.9.dist-info; touch spanset-9.9.dist-info/METADATA; "
    "python -m zipfile -c {0}/{1} spanset-9.9.dist-info/; rm -r spanset-9.9.dist-info"
)
HOME = "/root"  # of the user in a container
PIP_CACHE, UV_CACHE = f"{HOME}/.cache/pip/http-v2/0/1", f"{HOME}/.cache/uv/archive-v0/x"
PACKAGES = "/opt/venv/lib/python3*/site-packages"


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("git clone -q --bare . /srv/copy.git", "/srv/copy.git"),
        ("git init -q --bare /srv/loose; git push -q /srv/loose HEAD", "/srv/loose"),
        ("cp -r .git /srv/other-name", "/srv/other-name"),
        ("git clone -q . /home/copy", "/home/copy/.git"),
        ("git worktree add -q --detach /srv/tree", "/srv/tree/.git"),
        ("mkdir sub; echo gitdir: ../.git/modules/sub > sub/.git", f"{PROJECT}/sub/.git"),
        (f"mkdir -p /srv/objects/ab; touch /srv/objects/ab/{LATER[:38]}", "/srv/objects"),
        ("git bundle create -q /opt/all.bundle --all", "/opt/all.bundle"),
        ("git bundle create -q /opt/all.dat --all", "/opt/all.dat"),
        ("cp .git/objects/pack/pack-*.pack /opt/data", "/opt/data"),
        ("touch /opt/half.pack", "/opt/half.pack"),
        ("touch /opt/spanset-9.9-py3-none-any.whl", "/opt/spanset-9.9-py3-none-any.whl"),
        ("touch /var/Spanset-9.9.tar.gz", "/var/Spanset-9.9.tar.gz"),
        ("touch /opt/spanset-9.9-py_0.conda", "/opt/spanset-9.9-py_0.conda"),
        (WHEEL.format(PIP_CACHE, "body"), f"{PIP_CACHE}/body"),
        ("mkdir /tmp/spanset-9.9; tar -czf /opt/x -C /tmp spanset-9.9", "/opt/x"),
        (f"mkdir -p {UV_CACHE}/spanset-9.9.dist-info", f"{UV_CACHE}/spanset-9.9.dist-info"),
        ("mkdir /opt/spanset-9.9.dist-info", "/opt/spanset-9.9.dist-info"),
        ("mkdir -p /opt/spanset-9.9-py3.10.egg/EGG-INFO; touch /opt/spanset-9.9-py3.10.egg/x; "
         "cd /opt; tar -cf spanset-9.9.tar spanset-9.9-py3.10.egg", "/opt/spanset-9.9.tar"),
        (f"cp -r spanset $(echo {PACKAGES})/", "site-packages/spanset"),
        ("mkdir -p /usr/lib/python3/dist-packages; cp -r spanset /usr/lib/python3/dist-packages/",
         "/usr/lib/python3/dist-packages/spanset"),
    ],
    ids=[
        "bare", "bare-without-packs", "renamed", "clone", "worktree", "submodule", "objects-alone",
        "bundle", "bundle-renamed", "pack-renamed", "pack-by-name", "wheel", "sdist", "conda",
        "wheel-in-cache", "sdist-renamed", "unpacked-in-cache", "installed", "egg", "copied",
        "copied-for-debian",
    ],
)  # fmt: skip
async def test_other_copy_of_the_project_is_reported(
    workspace: Workspace, prepared: Prepared, script: str, path: str
) -> None:
    await plant(workspace.container, script)
    found = (await measured(workspace.container, prepared)).foreign_git_stores
    assert any(name.endswith(path) for name in found), found


async def test_installation_that_is_no_link_is_reported(
    workspace: Workspace, prepared: Prepared
) -> None:
    """The project's own metadata with another address: a wheel built from a URL."""
    url = '{"url": "https://a/b.whl"}'
    script = f"cd {PACKAGES}; echo '{url}' | tee spanset-*.dist-info/direct_url.json"
    await plant(workspace.container, script)
    (found,) = (await measured(workspace.container, prepared)).foreign_git_stores
    assert found.endswith(".dist-info")


@pytest.mark.parametrize("head", ["PK\\003\\004", "\\037\\213\\010", "BZh9", "\\3757zXZ\\000"])
async def test_a_damaged_archive_hides_nothing_else(
    workspace: Workspace, prepared: Prepared, head: str
) -> None:
    """It is no archive; the search goes on behind it."""
    await plant(
        workspace.container,
        f"printf '{head}damaged' > /opt/aaa; head -c 3000 /dev/zero >> /opt/aaa; "
        "touch /opt/spanset-9.9-py3-none-any.whl",
    )
    found = (await measured(workspace.container, prepared)).foreign_git_stores
    assert found == ("/opt/spanset-9.9-py3-none-any.whl",)


async def test_what_is_not_the_projects_is_not_reported(
    workspace: Workspace, prepared: Prepared
) -> None:
    """Other packages, names that only begin alike, archives of other things."""
    await plant(
        workspace.container,
        "cd /opt; touch attrs-9.9-py3-none-any.whl spanset-plugin-1.0.tar.gz spanset_x-1.0.whl; "
        "mkdir attrs-9.9.dist-info spanset_plugin-1.0.dist-info ab objects; touch HEAD.txt; "
        f"touch ab/cd {LATER[:38]}; echo text > notes; gzip notes; "
        "python -m zipfile -c other.zip HEAD.txt; "
        f"cd {PACKAGES}; mkdir tests claimed-1.0.dist-info; touch tests/__init__.py; "
        f"echo tests/__init__.py,, > claimed-1.0.dist-info/RECORD; "
        f"mkdir -p {PROJECT}/tests; touch {PROJECT}/tests/__init__.py",
    )
    assert await measured(workspace.container, prepared) == CLEAN


async def test_project_of_unknown_name_has_its_stores_looked_for(
    workspace: Workspace, prepared: Prepared
) -> None:
    await plant(workspace.container, "git clone -q --bare . /srv/copy.git")
    found = await measure(
        workspace.container, prepared.mirror, prepared.commit, prepared.instance.objects_sha256,
        project="", hidden_blobs={},
    )  # fmt: skip
    assert "/srv/copy.git" in found.foreign_git_stores


async def test_every_address_of_the_host_is_tried(
    engine: Engine, open_container: Container, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is a bridge its gateway is reached; from the agent's container nothing is."""
    for others in ("TARGETS_TCP", "TARGETS_UDP", "NAMES"):
        monkeypatch.setattr(isolation, others, ())
    hosts = await host_addresses(engine)
    bridge = await open_container.check(
        "python", "-c", "print(open('/proc/net/route').read().split('\\n')[1].split()[2])"
    )
    gateway = socket.inet_ntoa(bytes.fromhex(bridge.decode().strip())[::-1])
    assert gateway in hosts
    reached = await probe_network(open_container, (gateway,))
    assert (reached.tcp, reached.udp) == (True, True)
    assert await probe_network(open_container) == CLEAN.network
    assert await probe_network(workspace.container, hosts) == CLEAN.network


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
