"""`swe_install`: project and test dependencies as of the task's date, and requirements on top."""

import json
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from pydantic import Field

from tools.errors import ToolRefusal
from tools.outputs.store import Outputs
from tools.tool import Answer, Arguments, Tool
from tools.workspace.build.builder import Builder
from tools.workspace.packages.wheels import Unresolvable, Wheels, fetch_wheels, parse_requirements
from tools.workspace.spec import PROJECT, VENV
from tools.workspace.workspace import Workspace

WHEELS = "/tmp/agent_runner-wheels"
UV = ("uv", "pip")
PYTHON = ("--python", f"{VENV}/bin/python")


class InstallArguments(Arguments):
    """Arguments of `swe_install`."""

    requirements: list[str] = Field(
        default_factory=list, description='Further packages, such as ["attrs>=22"].'
    )


@dataclass(frozen=True)
class SweInstall:
    """Installs offline; what has to be fetched is fetched in another container.

    Attributes:
        environment: the tag of the environment layer, where requirements are resolved.
        installable: whether the project has packaging metadata at all.
    """

    workspace: Workspace
    builder: Builder
    outputs: Outputs
    environment: str
    installable: bool

    def tool(self) -> Tool:
        """The tool as the workbench offers it."""
        return Tool(
            "swe_install",
            "Makes sure the project and its test dependencies are installed as of the task's date. "
            "Needed again only after packaging files changed. Adds the named requirements, also "
            "as of that date.",
            InstallArguments,
            self.call,
            limit_s=self.workspace.spec.install_s + 120,
        )

    async def call(self, arguments: InstallArguments) -> Answer:
        """Adds requirements, installs the project anew, and says what is there."""
        added = ""
        if arguments.requirements:
            added = await self._add(tuple(arguments.requirements))
        if self.installable:
            limit_s = self.workspace.spec.install_s
            install = (*UV, "install", *PYTHON, "--offline", "--no-deps", "--no-build-isolation")
            done = await self.workspace.run(*install, "-e", PROJECT, timeout_s=limit_s)
            if not done.ok:
                handle = self.outputs.save(done.output)
                text = f"{added}installing the project failed:\n{self.outputs.shown(handle)}"
                return Answer(text, is_error=True, handle=handle, exit_code=done.exit_code)
        return Answer(added + await self._describe(), exit_code=0)

    async def _add(self, lines: tuple[str, ...]) -> str:
        spec = self.workspace.spec
        try:
            wanted = parse_requirements(lines, spec.project)
            wheels = await fetch_wheels(
                self.builder, self.environment, wanted, as_of=spec.as_of, project=spec.project
            )
        except Unresolvable as error:
            raise ToolRefusal(
                f"nothing was installed: {error}\nPackages are taken as of {spec.as_of[:10]}; "
                "try another version, or go without it."
            ) from error
        return await self._install(wheels)

    async def _install(self, wheels: Wheels) -> str:
        workspace = self.workspace
        await workspace.run("mkdir", "-p", WHEELS, cwd="/")
        await workspace.container.put_tar(WHEELS, wheels.tar)
        argv = (*UV, "install", *PYTHON, "--offline", "--no-index", "--no-deps")
        done = await workspace.run(*argv, "--find-links", WHEELS, *wheels.pins, timeout_s=300)
        await workspace.run("rm", "-rf", WHEELS, cwd="/")
        if not done.ok:
            raise ToolRefusal(f"installing failed: {done.output.decode(errors='replace')[-1500:]}")
        return f"added: {', '.join(wheels.pins)}\n"

    async def _describe(self) -> str:
        listing = await self.workspace.run(*UV, "list", *PYTHON, "--format", "json", "-q")
        packages = {row["name"]: row["version"] for row in json.loads(listing.stdout or b"[]")}
        python = await self.workspace.run(f"{VENV}/bin/python", "-V")
        project = canonicalize_name(self.workspace.spec.project)
        editable = (
            f"{project} {packages[project]} (editable)"
            if project in packages
            else "the project runs from its directory"
        )
        others = ", ".join(f"{name} {v}" for name, v in sorted(packages.items()) if name != project)
        return (
            f"installed in {VENV}: {editable}; {python.stdout.decode().strip()}; "
            f"dependencies as of {self.workspace.spec.as_of[:10]}: {others}"
        )
