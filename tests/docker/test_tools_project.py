"""`swe_clone` and `swe_install` in a real workspace."""

import pytest

from tools.errors import ToolRefusal
from tools.swe_clone import CloneArguments
from tools.swe_install import InstallArguments
from tools.toolset import Toolset
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

EDITED = "/testbed/spanset/merging.py"


async def clone(tools: Toolset) -> str:
    answer = await tools.clone.call(CloneArguments())
    assert not answer.is_error
    return answer.text


async def shell(workspace: Workspace, script: str) -> str:
    done = await workspace.shell(script, timeout_s=60)
    assert done.ok, done.output
    return done.stdout.decode()


async def test_clone_says_what_is_there(tools: Toolset, workspace: Workspace) -> None:
    text = await clone(tools)
    assert workspace.spec.commit[:12] in text
    assert "/workspace/project" in text
    assert "no changes yet" in text
    assert "spanset/" in text
    assert "Merge without a Python loop" in text


async def test_clone_again_is_the_same_and_keeps_edits(
    tools: Toolset, workspace: Workspace
) -> None:
    assert await clone(tools) == await clone(tools)
    await shell(workspace, f"echo '# edit' >> {EDITED}; echo new > notes.txt; git rm -q setup.cfg")
    text = await clone(tools)
    assert "changed since: notes.txt, setup.cfg, spanset/merging.py" in text
    assert (await shell(workspace, f"tail -1 {EDITED}; cat notes.txt")) == "# edit\nnew\n"


async def test_clone_takes_the_tasks_own_repository_by_name(
    tools: Toolset, workspace: Workspace
) -> None:
    spec = workspace.spec
    answer = await tools.clone.call(CloneArguments(repo=spec.repo, ref=spec.commit))
    assert not answer.is_error


@pytest.mark.parametrize(
    ("repo", "ref"),
    [("https://github.com/pallets/flask", ""), ("", "main"), ("", "HEAD~1"), ("/testbed", "")],
)
async def test_clone_refuses_anything_else(tools: Toolset, repo: str, ref: str) -> None:
    with pytest.raises(ToolRefusal, match="only the task's own repository"):
        await tools.clone.call(CloneArguments(repo=repo, ref=ref))


async def test_clone_restores_a_deleted_project(tools: Toolset, workspace: Workspace) -> None:
    assert (await workspace.run("rm", "-rf", "/testbed", cwd="/")).ok
    assert "The project was gone" in await clone(tools)
    assert await shell(workspace, "git status --porcelain; git rev-parse HEAD") == (
        workspace.spec.commit + "\n"
    )


@pytest.mark.parametrize(
    "damage",
    ["rm -rf .git", "rm -rf .git/objects", "echo broken > .git/HEAD", "echo '[x' > .git/config"],
)
async def test_clone_restores_a_broken_store_and_keeps_edits(
    tools: Toolset, workspace: Workspace, damage: str
) -> None:
    await shell(workspace, f"echo '# edit' >> {EDITED}; {damage}")
    text = await clone(tools)
    assert "was put back" in text
    assert "changed since: spanset/merging.py" in text
    assert (await shell(workspace, f"tail -1 {EDITED}")) == "# edit\n"


async def test_install_again_works_offline(tools: Toolset, workspace: Workspace) -> None:
    answer = await tools.install.call(InstallArguments())
    assert not answer.is_error, answer.text
    assert "spanset 0.1.0 (editable)" in answer.text
    assert "as of 2024-11-04" in answer.text
    assert "numpy" in answer.text
    assert await shell(workspace, "git status --porcelain") == ""


async def test_install_that_fails_says_why(tools: Toolset, workspace: Workspace) -> None:
    await shell(workspace, "echo 'raise SystemExit(\"no way\")' > setup.py")
    answer = await tools.install.call(InstallArguments())
    assert answer.is_error
    assert "no way" in answer.text


async def test_install_adds_a_requirement_as_of_the_date(
    tools: Toolset, workspace: Workspace
) -> None:
    """six 1.17.0 came a month after the task's date."""
    answer = await tools.install.call(InstallArguments(requirements=["six"]))
    assert not answer.is_error, answer.text
    assert "added: six==1.16.0" in answer.text
    assert await shell(workspace, "python -c 'import six; print(six.__version__)'") == "1.16.0\n"
    left = "find / -xdev -name 'six-*.whl'; ls /sys/class/net; git status --porcelain"
    assert await shell(workspace, left) == "lo\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("spanset", "is the project itself"),
        ("SPANSET>=0.2", "is the project itself"),
        ("https://example.org/x-1.whl", "is not a package name|is an address"),
        ("x @ https://example.org/x-1.whl", "is an address"),
        ("--index-url=http://x", "is not a package name"),
        ("-r /etc/passwd", "is not a package name"),
        ("six==999", "six==999"),
    ],
)
async def test_install_refuses(tools: Toolset, line: str, reason: str) -> None:
    with pytest.raises(ToolRefusal, match=reason) as refusal:
        await tools.install.call(InstallArguments(requirements=[line]))
    assert "nothing was installed" in str(refusal.value)
