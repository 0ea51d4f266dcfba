"""Packages that are there and cannot be imported: to tests that ask for them, worse than absent.

What skips a test for want of a package expects an ImportError; a library that is missing on the
machine makes others of it (`RuntimeError: Cannot find the ecCodes library`), and no test is found.
"""

import json
from collections.abc import Iterable

from packaging.utils import canonicalize_name
from pydantic import TypeAdapter

from tools.workspace.build.build_container import BuildContainer
from tools.workspace.packages.uv_inputs import PYTHON

LIMIT_S = 300
MARK = "cannot be imported here: "
# $1: the names. Before Python 3.8 only setuptools tells what a distribution holds.
SCRIPT = """
import importlib, json, sys
try:
    from importlib.metadata import PackageNotFoundError as Gone, distribution
    def top_level(name):
        return distribution(name).read_text("top_level.txt")
except ImportError:
    from pkg_resources import DistributionNotFound as Gone, get_distribution
    def top_level(name):
        held = get_distribution(name)
        return held.get_metadata("top_level.txt") if held.has_metadata("top_level.txt") else ""
broken = {}
for name in json.loads(sys.argv[1]):
    try:
        listed = (top_level(name) or "").split()
    except Gone:
        continue
    for module in (one for one in listed or [name.replace("-", "_")] if one[:1] != "_"):
        try:
            importlib.import_module(module)
        except (ImportError, SystemExit):
            pass
        except Exception as error:
            broken[name] = f"{type(error).__name__}: {error}"
print()
print(json.dumps(broken))
"""


async def not_importable(made: BuildContainer, names: Iterable[str]) -> dict[str, str]:
    """Those of the distributions that fail to import with anything but an ImportError.

    Returns:
        names, each with the reason; nothing where they cannot be tried within `LIMIT_S`.
    """
    wanted = json.dumps(sorted({canonicalize_name(name) for name in names}))
    argv = ("timeout", str(LIMIT_S), PYTHON, "-c", SCRIPT, wanted)
    done = await made.attempt(
        "env", "PYTHONDONTWRITEBYTECODE=1", "MPLBACKEND=agg", *argv, cwd="/tmp"
    )
    said = done.stdout.decode(errors="replace").splitlines()
    if not done.ok or not said:
        return {}
    found = TypeAdapter(dict[str, str]).validate_json(said[-1])
    return {name: f"{MARK}{reason}" for name, reason in found.items()}
