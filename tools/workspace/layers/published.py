"""An instance made of a published image: its files as they are, its git store replaced by ours."""

import hashlib
import platform
import sys
from pathlib import Path

from tools.workspace import labels as label
from tools.workspace.build.build_container import BuildContainer
from tools.workspace.build.builder import Builder
from tools.workspace.container import Container
from tools.workspace.engine import Engine, Image
from tools.workspace.faults import FaultKind, InfraFault
from tools.workspace.layers.instance import COMMIT, ENVIRONMENT, HEAD, OBJECTS, PUBLISHED, Instance
from tools.workspace.layers.registry import Remote, pull, resolve
from tools.workspace.layers.repository_layer import project_name
from tools.workspace.packages.install import hide_build_products
from tools.workspace.repository.history import allowed_objects, objects_digest, step, tags_before
from tools.workspace.repository.mirrors import Mirror
from tools.workspace.scratch import scratch
from tools.workspace.spec import LINK, PROJECT, VENV

RECIPE = "1"  # raised when the way they are derived changes
NAME = "agent_runner.published_name"
UV = "/usr/local/bin/uv"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# Where its Python is: ours, the one of SWE-bench's images, else whatever `python3` is there.
FIND_PYTHON = f"""
[ -e {VENV} ] && exit
if [ -x /opt/miniconda3/envs/testbed/bin/python ]; then
    ln -s /opt/miniconda3/envs/testbed {VENV}
else
    ln -s "$(python3 -c 'import sys; print(sys.prefix)')" {VENV}
fi
{VENV}/bin/python --version
"""
# What the image changed in tracked files belongs to it and to no patch: a commit on the base.
KEEP_CHANGES = """
set -e
git add -u
[ -z "$(git diff --cached --name-only | head -n 1)" ] && exit
export GIT_AUTHOR_NAME=image GIT_AUTHOR_EMAIL=image@localhost GIT_AUTHOR_DATE="@$1 +0000"
export GIT_COMMITTER_NAME=image GIT_COMMITTER_EMAIL=image@localhost GIT_COMMITTER_DATE="@$1 +0000"
made="$(echo "As the published image has it" | git commit-tree "$(git write-tree)" -p HEAD)"
git update-ref refs/heads/main "$made"
rm -rf .git/logs
"""


async def find_published(engine: Engine, name: str, commit: str) -> Instance | None:
    """The instance derived from a published image, where it is there; no registry is asked."""
    for image in await engine.images_with(f"{NAME}={name}"):
        if image.labels.get(COMMIT) == commit and image.tags:
            return Instance(image.tags[0], image.labels[label.KEY], image, built=False)
    return None


async def published_instance(
    builder: Builder, name: str, mirror: Mirror, commit: str, *, within_s: float
) -> Instance:
    """Resolves, pulls and derives.

    Args:
        name: the image as the row names it.
        within_s: for asking and pulling together.

    Raises:
        InfraFault: see `registry.resolve` and `registry.pull`; `image_unavailable` too where the
            image has no project, git or Python.
    """
    engine = builder.engine
    remote = await resolve(engine, name, builder.report, within_s=within_s)
    parts = (RECIPE, remote.digest, mirror.source, commit)
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    tag = f"agent_runner/instance:{project_name(mirror.source)}-{commit[:8]}-{key}"
    async with builder.locked(key):
        image = await engine.image(tag)
        if image is not None:
            return Instance(tag, key, image, built=False)
        pulled = await pull(engine, remote, builder.report, within_s=within_s)
        builder.report(f"cutting the history of {name} at {commit[:12]}")
        return await _derive(builder, pulled, remote, mirror, commit, tag, key)


async def _derive(
    builder: Builder, pulled: Image, remote: Remote, mirror: Mirror, commit: str, tag: str, key: str
) -> Instance:
    with scratch() as own:
        made = await step(mirror, commit, own, tags=await tags_before(mirror, commit))
        allowed = await allowed_objects(mirror, commit)
        async with builder.bare(pulled.id) as building:
            container = building.container
            await _require(building, remote.name)
            await building.step("removing the image's history", "rm", "-rf", f"{PROJECT}/.git")
            with made.tar.open("rb") as tar:
                await container.put_tar(PROJECT, tar)
            await building.step("reading the tree", "git", "read-tree", "HEAD", cwd=PROJECT)
            await _set_modes(building)
            await hide_build_products(building)
            keep = ("/bin/sh", "-c", KEEP_CHANGES, "sh", str(made.date_s))
            await building.step("keeping the image's changes", *keep, cwd=PROJECT)
            head, own_objects = await _head(building, commit)
            await _complete(builder, container, building)
            labels = {
                label.LAYER: "instance",
                label.KEY: key,
                OBJECTS: objects_digest(allowed | own_objects),
                COMMIT: commit,
                HEAD: head,
                ENVIRONMENT: tag,
                NAME: remote.name,
                PUBLISHED: remote.digest,
            }
            image = await builder.keep(building, tag, labels)
    return Instance(tag, key, image, built=True)


async def _require(building: BuildContainer, name: str) -> None:
    for what, argv in (
        (f"a directory {PROJECT}", ("test", "-d", PROJECT)),
        ("git", ("git", "--version")),
        ("a Python", ("/bin/sh", "-c", FIND_PYTHON)),
    ):
        done = await building.attempt(*argv)
        if not done.ok:
            message = f"the published image {name} has not {what}: it is no instance"
            raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)


async def _set_modes(building: BuildContainer) -> None:
    """Only the executable bit counts for git; published images have it wrong here and there."""
    await building.step(
        "comparing the files", "git", "update-index", "-q", "--refresh", cwd=PROJECT
    )
    listed = await building.step(
        "comparing the modes", "git", "diff-files", "--raw", "-z", cwd=PROJECT
    )
    fields = listed.stdout.split(b"\0")
    for wanted, change in ((b"100644", "a-x"), (b"100755", "a+x")):
        names = [
            path
            for facts, path in zip(fields[::2], fields[1::2], strict=False)
            if facts[1:7] == wanted and facts[8:14] in {b"100644", b"100755"} - {wanted}
        ]
        if names:
            argv = ("xargs", "-0", "chmod", change, "--")
            await building.step("setting modes", *argv, cwd=PROJECT, stdin=b"\0".join(names))
    await building.step(
        "comparing the files", "git", "update-index", "-q", "--refresh", cwd=PROJECT
    )


async def _head(building: BuildContainer, commit: str) -> tuple[str, set[str]]:
    """The commit the tree is at, and the objects the image itself brought."""
    head = await building.step("reading the head", "git", "rev-parse", "HEAD", cwd=PROJECT)
    argv = ("git", "rev-list", "--objects", "HEAD", f"^{commit}")
    listed = await building.step("listing the image's changes", *argv, cwd=PROJECT)
    names = {line.split(b" ")[0].decode() for line in listed.stdout.splitlines()}
    return head.stdout.decode().strip(), names


async def _complete(builder: Builder, container: Container, building: BuildContainer) -> None:
    """What the tools expect beside the project: the link to it, and uv."""
    link = f"mkdir -p {Path(LINK).parent} && ln -sfn {PROJECT} {LINK}"
    await building.step("linking the project", "/bin/sh", "-c", link)
    has_uv = (await building.attempt("/bin/sh", "-c", "command -v uv")).ok
    same = MACHINES.get(platform.machine()) == builder.engine.architecture
    own = Path(sys.executable).parent / "uv"
    if not has_uv and same and sys.platform == "linux" and own.exists():
        await container.put({UV: own.read_bytes()}, mode=0o755)
