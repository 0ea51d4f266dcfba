"""A hidden test that an agent could read is reported, by content and not by name."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent_runner.config import RunConfig
from agent_runner.grading.attempt import InvalidTask
from agent_runner.observer import Observer
from agent_runner.prepare import Prepared, prepare
from agent_runner.stages import Stages
from tools.workspace.engine import Engine
from tools.workspace.isolation import measure
from tools.workspace.workspace import Workspace

pytestmark = pytest.mark.docker

TEST_PATCH = """\
diff --git a/tests/test_hidden.py b/tests/test_hidden.py
new file mode 100644
--- /dev/null
+++ b/tests/test_hidden.py
@@ -0,0 +1,2 @@
+def test_hidden():
+    assert True
"""


Hide = Callable[[str], Awaitable[Prepared]]


@pytest.fixture
def hide(engine: Engine, prepared: Prepared, home: Path, run_id: str) -> Hide:
    """Prepares the seed with a test patch; its layers are the same ones."""

    async def ready(test_patch: str) -> Prepared:
        task = prepared.located.task.model_copy(update={"test_patch": test_patch})
        return await prepare(
            engine, RunConfig(), replace(prepared.located, task=task), run=run_id, home=home,
            stages=Stages(time.monotonic()), observer=Observer(quiet=True),
        )  # fmt: skip

    return ready


@pytest.fixture
async def hidden(hide: Hide, prepared: Prepared) -> Prepared:
    ready = await hide(TEST_PATCH)
    assert ready.instance.key == prepared.instance.key
    return ready


async def is_present(workspace: Workspace, ready: Prepared) -> bool:
    found = await measure(
        workspace.container, ready.mirror, ready.commit, ready.instance.objects_sha256,
        project=ready.planned.project, hidden_blobs=ready.hidden_blobs,
    )  # fmt: skip
    return found.hidden_tests_present


async def test_hidden_test_that_is_absent_is_not_reported(
    workspace: Workspace, hidden: Prepared
) -> None:
    assert list(hidden.hidden_blobs) == ["tests/test_hidden.py"]
    assert not await is_present(workspace, hidden)


async def test_hidden_test_that_is_there_is_reported(
    workspace: Workspace, hidden: Prepared
) -> None:
    patch = hidden.located.task.test_patch.encode()
    assert (await workspace.run("git", "apply", "-", stdin=patch)).ok
    assert await is_present(workspace, hidden)


async def test_other_file_of_that_name_is_not_reported(
    workspace: Workspace, hidden: Prepared
) -> None:
    await workspace.container.put({"/testbed/tests/test_hidden.py": b"# mine\n"})
    assert not await is_present(workspace, hidden)


@pytest.mark.parametrize(
    "patch",
    [TEST_PATCH.replace("+1,2", "+1,3"), "--- a/setup.py\n+++ b/setup.py\n@@ -1 +1 @@\n-no\n+x\n"],
    ids=["malformed", "does-not-match"],
)
async def test_test_patch_that_does_not_apply_is_an_invalid_task(hide: Hide, patch: str) -> None:
    with pytest.raises(InvalidTask, match="test_patch does not apply"):
        await hide(patch)
