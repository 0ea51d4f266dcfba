"""Metadata of wheels from before versions had rules (PEP 440), in words that uv reads.

All releases of pandas before 0.24 ask for `pytz (>=2011k)`, and uv takes none of them for that.
"""

import json
import re

from packaging.requirements import InvalidRequirement, Requirement

from tools.workspace.build.build_container import BuildContainer
from tools.workspace.packages.uv_inputs import PYTHON

# Says on its last line what a release's wheel requires; pip reads what uv does not.
ASK = """\
import email, json, os, subprocess, sys, tempfile, zipfile
with tempfile.TemporaryDirectory() as got:
    fetch = ["download", "-q", "--retries=5", "--no-deps", "--only-binary=:all:", "-d", got]
    subprocess.check_call([sys.executable, "-m", "pip"] + fetch + [sys.argv[1]])
    wheel = zipfile.ZipFile(os.path.join(got, os.listdir(got)[0]))
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    found = email.message_from_string(wheel.read(name).decode("utf-8"))
print(json.dumps(found.get_all("Requires-Dist") or []))
"""


async def stated_for_uv(made: BuildContainer, name: str, version: str) -> str:
    """A table for uv's settings that says in its words what a release requires.

    Returns:
        "" where there is no wheel to read it from.

    Raises:
        InfraFault: `index_unreachable`.
    """
    done = await made.attempt(PYTHON, "-c", ASK, f"{name}=={version}")
    if not done.ok:
        return ""
    lines = [readable(line) for line in json.loads(done.stdout.decode().splitlines()[-1])]
    table = {"name": name, "version": version, "requires-dist": lines}
    pairs = (f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    return "\n[[dependency-metadata]]\n" + "".join(pairs)


def readable(line: str) -> str:
    """A requirement without those of its bounds that are no versions."""
    text, _, marker = line.partition(";")
    match = re.match(r"\s*([A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?)\s*\(?([^)]*)\)?", text)
    if match is None:
        return line
    bounds = [bound for bound in match[2].split(",") if _is_readable(f"{match[1]}{bound}")]
    behind = f" ; {marker.strip()}" if marker.strip() else ""
    return f"{match[1].strip()}{','.join(bound.strip() for bound in bounds)}{behind}"


def _is_readable(line: str) -> bool:
    try:
        Requirement(line)
    except InvalidRequirement:
        return False
    return True
