"""What a workspace is made for: the plain data tools get; they never see the task."""

from dataclasses import dataclass, field

from tools.workspace.limits import Limits

PROJECT = "/testbed"
LINK = "/workspace/project"
VENV = "/opt/venv"

# The official evaluation scripts expect a virtual environment that is active in every command.
ENV = {
    "VIRTUAL_ENV": VENV,
    "PATH": f"{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_OFFLINE": "1",
    "UV_NO_CACHE": "1",
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "COLUMNS": "120",
}


@dataclass(frozen=True)
class WorkspaceSpec:
    """One workspace.

    Attributes:
        repo: the repository as the task names it; shown to the agent, never fetched by it.
        ref: the ref as the task names it.
        commit: the full id of the base commit.
        as_of: date (ISO 8601) of the dependencies.
        project: the distribution's own name, which the agent may never install; "" if unknown.
        tests_s: seconds one test run may take.
    """

    repo: str
    ref: str
    commit: str
    as_of: str
    project: str = ""
    pytest_k: str = ""
    test_paths: tuple[str, ...] = ()
    tests_are_hidden: bool = False
    tests_s: float = 600.0
    install_s: float = 900.0
    limits: Limits = field(default_factory=Limits)
