"""The patch is the whole difference to the base, whatever the agent did to git."""

from pathlib import Path

import pytest

from agent_runner.prepare import Prepared
from tools.workspace.repository.git import git
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

EDIT = "echo '# edit' >> spanset/merging.py"
IDENTITY = "git -c user.name=a -c user.email=a@b"


async def shell(workspace: Workspace, script: str) -> None:
    done = await workspace.shell(f"set -e; {script}", timeout_s=60)
    assert done.ok, done.output


async def plain_edit(workspace: Workspace) -> bytes:
    """The patch of the edit in a workspace nobody has tampered with."""
    await shell(workspace, EDIT)
    patch = await workspace.collect()
    assert b"+# edit" in patch
    assert patch.count(b"diff --git") == 1
    return patch


async def test_no_change_is_an_empty_patch(workspace: Workspace) -> None:
    assert await workspace.collect() == b""


async def test_new_deleted_and_binary_files_are_in_it_and_apply(
    workspace: Workspace, prepared: Prepared, tmp_path: Path
) -> None:
    blob = bytes(range(256)) * 5
    await workspace.container.put({"/testbed/data/blob.bin": blob, "/testbed/ünï ☃.txt": b"x\n"})
    await shell(
        workspace, f"{EDIT}; rm README.rst; chmod +x setup.py; ln -s setup.py link; printf y > end"
    )
    patch = await workspace.collect()
    await git("clone", "-q", str(prepared.mirror.path), str(tmp_path / "clone"))
    await git("checkout", "-q", prepared.commit, cwd=tmp_path / "clone")
    await git("apply", "--index", "-", cwd=tmp_path / "clone", stdin=patch)
    clone = tmp_path / "clone"
    assert (clone / "data" / "blob.bin").read_bytes() == blob
    assert (clone / "ünï ☃.txt").read_text(encoding="utf-8") == "x\n"
    assert (clone / "end").read_bytes() == b"y"
    assert not (clone / "README.rst").exists()
    assert (clone / "setup.py").stat().st_mode & 0o100
    assert (clone / "link").is_symlink()


@pytest.mark.parametrize(
    "script",
    [
        f"{EDIT}; git add -A",
        f"{EDIT}; {IDENTITY} commit -qam work",
        f"{EDIT}; git checkout -q -b other; {IDENTITY} commit -qam work; git checkout -q --detach",
        f"{EDIT}; git add -A; git update-index --assume-unchanged spanset/merging.py",
        f"{EDIT}; git update-index --skip-worktree spanset/merging.py",
        f"{EDIT}; {IDENTITY} commit -qam work; rm -rf .git/logs; git gc -q --prune=now",
        f"{EDIT}; git init -q; rm -f .git/index",
        f"{EDIT}; touch .git/index.lock",
        f"{EDIT}; git sparse-checkout set docs; git sparse-checkout disable",
    ],
    ids=[
        "staged", "committed", "branch", "assume-unchanged", "skip-worktree", "gc", "no-index",
        "index-lock", "sparse",
    ],
)  # fmt: skip
async def test_agents_own_index_and_commits_make_no_difference(
    workspace: Workspace, script: str
) -> None:
    if "skip-worktree" in script or "sparse" in script:
        await shell(workspace, script.replace(f"{EDIT}; ", "") + f"; {EDIT}")
    else:
        await shell(workspace, script)
    patch = await workspace.collect()
    assert patch.count(b"diff --git") == 1
    assert b"+# edit" in patch


async def test_ignored_files_are_left_out(workspace: Workspace) -> None:
    await shell(
        workspace, f"{EDIT}; mkdir build; touch build/x; mkdir __pycache__; touch __pycache__/y"
    )
    assert (await workspace.collect()).count(b"diff --git") == 1


async def test_collecting_changes_nothing_the_agent_sees(workspace: Workspace) -> None:
    look = "git status --porcelain; git count-objects; cat .git/index .git/config | sha1sum"
    await shell(workspace, f"{EDIT}; touch new; git add new")
    before = await workspace.shell(look, timeout_s=20)
    await workspace.collect()
    assert (await workspace.shell(look, timeout_s=20)).stdout == before.stdout


@pytest.mark.parametrize(
    "damage",
    [
        "rm -rf .git",
        "rm -rf .git/objects",
        "echo broken > .git/HEAD",
        "echo '[x' > .git/config",
        "rm -rf .git; git init -q",
        "find .git/objects -name '*.pack' -exec truncate -s 100 {} +",
        "rm -rf .git; echo 'gitdir: /nowhere' > .git",
        "mv .git /tmp/moved; ln -s /tmp/moved .git",
    ],
    ids=["gone", "no-objects", "head", "config", "another", "pack", "gitfile", "link"],
)
async def test_broken_store_loses_no_edit(workspace: Workspace, damage: str) -> None:
    await shell(workspace, f"{EDIT}; {damage}")
    patch = await workspace.collect()
    assert patch.count(b"diff --git") == 1
    assert b"+# edit" in patch


RUN = "touch /tmp/ran"
ATTRIBUTES = ".git/info/attributes"
HOOK = "post-index-change"
CONFIGS = {
    "external": f"git config diff.external 'sh -c \"{RUN}\" --'",
    "textconv": f"git config diff.x.textconv '{RUN}; cat'; echo '*.py diff=x' > {ATTRIBUTES}",
    "diff-command": f"git config diff.x.command '{RUN}; cat'; echo '*.py diff=x' > {ATTRIBUTES}",
    "filter": f"git config filter.x.clean '{RUN}; tr e x'; echo '*.py filter=x' > {ATTRIBUTES}",
    "filter-process": f"git config filter.x.process '{RUN}'; echo '*.py filter=x' > {ATTRIBUTES}",
    "fsmonitor": f"git config core.fsmonitor '{RUN}; true'",
    "hooks-path": f"git config core.hooksPath /tmp/h; mkdir /tmp/h; cp /tmp/hook /tmp/h/{HOOK}",
    "hooks": f"cp /tmp/hook .git/hooks/{HOOK}",
    "context": "git config diff.context 0; git config diff.interHunkContext 50",
    "crlf": "git config core.autocrlf true; git config diff.noprefix true",
    "worktree": "git config core.worktree /tmp",
    "modes": "git config core.fileMode false; git config core.symlinks false",
    "prefixes": "git config diff.srcPrefix x/; git config color.diff always",
    "renames": "git config diff.renames copies; git config diff.algorithm patience",
    "excludes": "git config core.excludesFile /tmp/all; echo '*' > /tmp/all",
    "attributes": f"echo '*.py -diff' > {ATTRIBUTES}",
    "global": "git config --global diff.noprefix true; git config --system diff.context 0",
    "order": "git config core.quotePath false; git config diff.orderFile /tmp/none",
    "owner": "chown -R 1234 .",
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
async def test_agents_git_configuration_shapes_nothing_and_runs_nothing(
    workspace: Workspace, config: str
) -> None:
    expected = await plain_edit(workspace)
    hook = f"printf '#!/bin/sh\\n{RUN}\\n' > /tmp/hook; chmod +x /tmp/hook"
    await shell(workspace, f"mkdir -p .git/hooks .git/info; {hook}; {config}")
    assert await workspace.collect() == expected
    assert not (await workspace.run("test", "-e", "/tmp/ran")).ok


async def test_filter_named_by_the_tree_itself_does_not_run(workspace: Workspace) -> None:
    """As in a clone elsewhere: attributes are the tree's, but no driver of that name is known."""
    await shell(workspace, "git config filter.evil.clean 'touch /tmp/ran; tr e x'")
    await shell(workspace, f"{EDIT}; echo '*.py filter=evil' > .gitattributes")
    assert b"+# edit" in await workspace.collect()
    assert not (await workspace.run("test", "-e", "/tmp/ran")).ok


@pytest.mark.parametrize("damage", ["rm -f $(command -v git)", "rm -rf .git; echo x > .git"])
async def test_without_a_working_git_the_patch_is_the_same(
    workspace: Workspace, damage: str
) -> None:
    patch = await plain_edit(workspace)
    await shell(workspace, damage)
    assert await workspace.collect() == patch


async def test_a_removed_project_is_a_patch_that_removes_all(workspace: Workspace) -> None:
    done = await workspace.run("/bin/sh", "-c", "rm -rf /testbed", cwd="/")
    assert done.ok
    patch = await workspace.collect()
    assert b"deleted file mode" in patch
    assert b"+++ b/" not in patch
