"""The project installed editable by one call of its build backend (PEP 660).

pip and uv ask it for the metadata first, which is half the work once more: a second for Django.
"""

import tomllib
from dataclasses import dataclass

from tools.workspace.build.build_container import BuildContainer
from tools.workspace.packages.uv_inputs import PYTHON
from tools.workspace.spec import PROJECT, VENV

ON_PATH = f"PATH={VENV}/bin:/usr/local/bin:/usr/bin:/bin"
SETUPTOOLS = "setuptools.build_meta:__legacy__"  # where a project names none (PEP 517)
# Builds the wheel, lets uv install it, and says what an installation from a directory says of
# itself (PEP 610). A backend is not to find modules of the project but by its `backend-path`.
INSTALL = f"""\
import importlib, json, os, subprocess, sys, sysconfig, tempfile, zipfile
backend, *paths = sys.argv[1:]
sys.path[:1] = [os.path.abspath(path) for path in paths]
module, _, attributes = backend.partition(":")
hooks = importlib.import_module(module)
for name in filter(None, attributes.split(".")):
    hooks = getattr(hooks, name)
with tempfile.TemporaryDirectory() as made:
    wheel = os.path.join(made, hooks.build_editable(made))
    install = ["uv", "pip", "install", "-q", "--no-config", "--offline", "--no-deps"]
    subprocess.run([*install, "--python", sys.executable, wheel], check=True)
    names = zipfile.ZipFile(wheel).namelist()
    info = next(name for name in names if name.endswith(".dist-info/METADATA"))[:-8]
place = os.path.join(sysconfig.get_path("purelib"), info, "direct_url.json")
with open(place, "w") as file:
    json.dump({{"url": "file://{PROJECT}", "dir_info": {{"editable": True}}}}, file)
"""


@dataclass(frozen=True)
class Backend:
    """What builds a project.

    Attributes:
        name: the object with the hooks, as `module:attribute`.
        path: directories of the project where it lies itself; mostly none.
    """

    name: str = SETUPTOOLS
    path: tuple[str, ...] = ()


def backend_of(pyproject: str) -> Backend:
    """What `pyproject.toml` names; setuptools where it names none or cannot be read."""
    try:
        system = tomllib.loads(pyproject).get("build-system", {})
        name, path = system.get("build-backend", SETUPTOOLS), system.get("backend-path", [])
    except (tomllib.TOMLDecodeError, AttributeError):
        return Backend()
    return Backend(str(name), tuple(map(str, path)) if isinstance(path, list) else ())


async def install_editable(made: BuildContainer, backend: Backend) -> bool:
    """Whether it could be done that way; old backends and Pythons cannot."""
    argv = ("env", ON_PATH, PYTHON, "-c", INSTALL, backend.name, *backend.path)
    return (await made.attempt(*argv, cwd=PROJECT)).ok
