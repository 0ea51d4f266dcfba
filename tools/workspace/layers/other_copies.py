"""Copies of the project outside its tree: the base image's Python has packages of today."""

from tools.workspace.build.build_container import BuildContainer

# Only the names of what lies below go: the layer costs next to nothing.
REMOVE = """
for python in /usr/local/bin/python3 /usr/bin/python3; do
    [ -x "$python" ] || continue
    uv pip show -q --no-config --python "$python" "$1" >/dev/null 2>&1 || continue
    uv pip uninstall -q --no-config --break-system-packages --python "$python" "$1" || exit 1
done
"""


async def remove_other_copies(made: BuildContainer, project: str) -> None:
    """Takes the project out of the Pythons below its environment: a later release holds the fix.

    Args:
        project: the distribution's name; "" does nothing.

    Raises:
        InfraFault: `image_unavailable`, where one is there and stays.
    """
    if project:
        argv = ("/bin/sh", "-c", REMOVE, "sh", project)
        await made.step("removing the base's own copy of the project", *argv)
