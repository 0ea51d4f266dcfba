"""What was changed on a container's disk, by either way of looking."""

import pytest

from tools.workspace.changes import changed_paths
from tools.workspace.engine import Engine
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker
EDITS = (
    "rm /usr/bin/patch; echo x >> /etc/profile; mkdir -p /a/b; touch /a/b/new; "
    "rm -rf /testbed/tests; "
    "ln -s /etc/passwd /a/link; printf x > /a/$(printf '\\377')"
)


async def test_both_ways_of_looking_see_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await workspace.run("/bin/sh", "-c", EDITS)
    assert done.ok, done.output
    quick = await changed_paths(workspace.engine, workspace.container)
    assert {"/usr/bin/patch", "/etc/profile", "/a/b/new", "/a/link", "/testbed/tests"} <= set(quick)
    assert "/a/\ufffd" in quick
    monkeypatch.setattr(Engine, "is_local", False)
    assert sorted(await changed_paths(workspace.engine, workspace.container)) == quick
