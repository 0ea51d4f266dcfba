"""A release whose requirements uv cannot read, on an index in the container itself."""

import io
import zipfile
from dataclasses import replace

import pytest

from tools.workspace.build.builder import Builder
from tools.workspace.channels.channel import Execution
from tools.workspace.layers.base_image import Base
from tools.workspace.layers.environment_layer import tools_layer
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.packages.legacy_metadata import stated_for_uv
from tools.workspace.packages.uv_says import unreadable

pytestmark = pytest.mark.docker

INDEX = "/build/index"


def wheel(name: str, requires: str = "") -> bytes:
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    if requires:
        metadata += f"Requires-Dist: {requires}\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    return buffer.getvalue()


async def test_uv_is_told_what_a_release_requires_whose_metadata_it_cannot_read(
    builder: Builder, base: Base
) -> None:
    plan = EnvironmentPlan(base.python, as_of="2024-01-01T00:00:00Z")
    tools = await tools_layer(builder, base.image, plan)
    local = replace(builder, environ={**builder.environ, "UV_DEFAULT_INDEX": f"file://{INDEX}"})
    async with local.container(tools.id) as made:
        for name, requires in (("old", "clock (>=2011k)"), ("clock", "")):
            place = f"{INDEX}/{name}"
            file = f"{name}-1.0-py3-none-any.whl"
            await made.put_in_memory(f"{place}/{file}", wheel(name, requires))
            await made.put_in_memory(f"{place}/index.html", f'<a href="{file}">{file}</a>'.encode())

        async def resolved() -> Execution:
            argv = ("uv", "pip", "compile", "-q", "--no-config", "--no-header", "--no-annotate")
            return await made.attempt(*argv, "-", stdin=b"old\n")

        said = (await resolved()).output.decode()
        assert unreadable(said) == {"old": "1.0"}
        assert await stated_for_uv(made, "clock", "9.9") == ""
        await made.add_uv_settings(await stated_for_uv(made, "old", "1.0"))
        done = await resolved()
        assert done.stdout.decode().split() == ["clock==1.0", "old==1.0"]
