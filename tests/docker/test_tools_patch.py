"""`swe_apply_patch` in a real workspace: all of a patch or nothing of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.prepare import Prepared
from tools.patching import PatchLimits, PatchRefusal, Reason
from tools.swe_apply_patch import PatchArguments, SweApplyPatch
from tools.toolset import Toolset
from tools.workspace.container import ContainerSpec
from tools.workspace.engine import Engine
from tools.workspace.start import running
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

TWO_FILES = """\
--- a/spanset/merging.py
+++ b/spanset/merging.py
@@ -1,3 +1,3 @@
-\"\"\"From any spans to sorted spans that neither overlap nor touch.\"\"\"
+\"\"\"Changed.\"\"\"
\x20
 from __future__ import annotations
--- a/spanset/text.py
+++ b/spanset/text.py
@@ -1 +1,2 @@
+# changed
 {first}
--- /dev/null
+++ b/spanset/deep/new.py
@@ -0,0 +1 @@
+NEW = 1
"""


async def apply(tools: Toolset, patch: str) -> str:
    return (await tools.apply_patch.call(PatchArguments(patch=patch))).text


async def shell(workspace: Workspace, script: str) -> str:
    done = await workspace.shell(script, timeout_s=60)
    assert done.ok, done.output
    return done.stdout.decode()


async def state(workspace: Workspace) -> str:
    """Content, mode, owner and kind of everything in the project."""
    listing = "find . -path ./.git -prune -o -printf '%p %y %m %U %l\\n' | sort"
    return await shell(workspace, f"{listing}; find . -path ./.git -prune -o -type f -print0 "
                       "| sort -z | xargs -0 sha1sum; ls -A /tmp")  # fmt: skip


async def two_files(workspace: Workspace) -> str:
    return TWO_FILES.format(first=(await shell(workspace, "head -1 spanset/text.py")).rstrip())


async def test_reference_patch_applies_as_git_would(
    tools: Toolset, workspace: Workspace, prepared: Prepared
) -> None:
    patch = prepared.located.task.patch
    assert "exact" in (await apply(tools, patch)).lower()
    assert (await shell(workspace, "git diff")).splitlines()[2:] == patch.splitlines()[2:]


async def test_several_files_at_once(tools: Toolset, workspace: Workspace) -> None:
    await apply(tools, await two_files(workspace))
    assert await shell(workspace, "git status --porcelain -uall") == (
        " M spanset/merging.py\n M spanset/text.py\n?? spanset/deep/new.py\n"
    )
    assert await shell(workspace, "head -1 spanset/text.py; cat spanset/deep/new.py; ls /tmp") == (
        "# changed\nNEW = 1\n"
    )


async def test_mode_and_owner_are_kept(tools: Toolset, workspace: Workspace) -> None:
    await shell(workspace, "chmod 750 spanset/merging.py; chown 1234:77 spanset/merging.py")
    await apply(tools, await two_files(workspace))
    assert await shell(workspace, "stat -c '%a %u %g' spanset/merging.py") == "750 1234 77\n"


async def test_new_executable_and_mode_change(tools: Toolset, workspace: Workspace) -> None:
    await apply(
        tools,
        "diff --git a/run.sh b/run.sh\nnew file mode 100755\n--- /dev/null\n+++ b/run.sh\n"
        "@@ -0,0 +1 @@\n+echo hi\n"
        "diff --git a/setup.py b/setup.py\nold mode 100644\nnew mode 100755\n",
    )
    assert await shell(workspace, "stat -c %a run.sh setup.py") == "755\n755\n"


async def test_deleted_and_renamed_files(tools: Toolset, workspace: Workspace) -> None:
    lookup = await shell(workspace, "cat spanset/lookup.py")
    text = (await shell(workspace, "cat README.rst")).splitlines()
    gone = "".join(f"-{line}\n" for line in text)
    await apply(
        tools,
        f"diff --git a/README.rst b/README.rst\ndeleted file mode 100644\n--- a/README.rst\n"
        f"+++ /dev/null\n@@ -1,{len(text)} +0,0 @@\n{gone}"
        "diff --git a/spanset/lookup.py b/moved/here.py\nsimilarity index 100%\n"
        "rename from spanset/lookup.py\nrename to moved/here.py\n",
    )
    assert await shell(workspace, "cat moved/here.py") == lookup
    assert await shell(workspace, "ls README.rst spanset/lookup.py 2>/dev/null || true") == ""


async def test_nothing_fits_nothing_changes(tools: Toolset, workspace: Workspace) -> None:
    before = await state(workspace)
    with pytest.raises(PatchRefusal) as refusal:
        await apply(tools, TWO_FILES.format(first="this line is nowhere"))
    assert refusal.value.reason is Reason.DOES_NOT_MATCH
    assert "this line is nowhere" in str(refusal.value)
    assert await state(workspace) == before


@pytest.mark.parametrize(
    ("prepare", "path", "reason"),
    [
        ("ln -s /etc linked", "linked/new.py", Reason.THROUGH_LINK),
        ("ln -s spanset linked", "linked/new.py", Reason.THROUGH_LINK),
        ("ln -s .git linked", "linked/hooks/x", Reason.THROUGH_LINK),
        ("true", ".git/hooks/pre-commit", Reason.INTO_GIT),
        ("true", "spanset/../../etc/x", Reason.OUTSIDE),
        ("true", "spanset/../.git/x", Reason.OUTSIDE),
    ],
)
async def test_path_that_leads_away_is_refused(
    tools: Toolset, workspace: Workspace, prepare: str, path: str, reason: Reason
) -> None:
    await shell(workspace, prepare)
    before = await state(workspace)
    with pytest.raises(PatchRefusal) as refusal:
        await apply(tools, f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n")
    assert refusal.value.reason is reason
    assert await state(workspace) == before


@pytest.fixture
async def locked(
    engine: Engine, prepared: Prepared, container_spec: ContainerSpec, workspace: Workspace,
    tmp_path: Path,
) -> AsyncIterator[Workspace]:  # fmt: skip
    """A workspace in which one file cannot be written: a read-only mount lies on it."""
    text = await shell(workspace, "cat spanset/text.py")
    (tmp_path / "text.py").write_text(text, encoding="utf-8")
    mount = f"{tmp_path}/text.py:/testbed/spanset/text.py:ro"
    spec = replace(container_spec, image=prepared.instance.image.id, binds=(mount,))
    async with running(engine, spec) as container:
        yield Workspace(container, workspace.spec, engine)


async def test_write_that_fails_half_way_puts_everything_back(locked: Workspace) -> None:
    before = await state(locked)
    tool = SweApplyPatch(locked, PatchLimits())
    with pytest.raises(PatchRefusal) as refusal:
        await tool.call(PatchArguments(patch=await two_files(locked)))
    assert refusal.value.reason is Reason.NOT_WRITTEN
    assert "Read-only file system" in str(refusal.value)
    assert await state(locked) == before


NAMES = ["-rf.py", "a b.py", "it's.py", "$HOME.py", "`id`.py", "ünï ☃.py", "x;y|z.py", "*.py"]


@pytest.mark.parametrize("name", NAMES)
async def test_odd_name_is_only_a_name(tools: Toolset, workspace: Workspace, name: str) -> None:
    add = f"diff --git a/d/{name} b/d/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/d/{name}\n"
    await apply(tools, add + "@@ -0,0 +1 @@\n+one\n")
    assert await shell(workspace, "ls d") == f"{name}\n"
    await apply(tools, f"--- a/d/{name}\n+++ b/d/{name}\n@@ -1 +1 @@\n-one\n+two\n")
    assert await shell(workspace, "cat d/*") == "two\n"
    await apply(
        tools,
        f"diff --git a/d/{name} b/d/{name}\ndeleted file mode 100644\n--- a/d/{name}\n"
        "+++ /dev/null\n@@ -1 +0,0 @@\n-two\n",
    )
    assert await shell(workspace, "ls d 2>/dev/null || echo gone") == "gone\n"


async def test_line_endings_and_bytes_survive(tools: Toolset, workspace: Workspace) -> None:
    await workspace.container.put({"/testbed/odd.txt": b"one\r\n\xff\xfe\r\nthree"})
    await apply(tools, "--- a/odd.txt\n+++ b/odd.txt\n@@ -1 +1 @@\n-one\n+eins\n")
    assert await workspace.container.read("/testbed/odd.txt") == b"eins\r\n\xff\xfe\r\nthree"
