"""Why a container does not answer: asked of the engine, which may not answer either."""

from aiodocker.containers import DockerContainer

from tools.workspace.engine import engine_errors
from tools.workspace.faults import FaultKind, InfraFault

ASK_LIMIT_S = 10.0


async def why_lost(container: DockerContainer, said: bytes = b"") -> InfraFault:
    """The fault for a container that answers no more; none of these is the agent's doing.

    Nothing that runs inside can end its PID 1, so a container that ended was ended from outside.

    Args:
        said: the last that its PID 1 said.
    """
    try:
        async with engine_errors("asking about a container", ASK_LIMIT_S):
            state = (await container.show())["State"]
    except InfraFault as fault:
        return fault
    if state["Paused"]:
        what = "was paused from outside"
    elif not state["Running"]:
        oom = ", for want of memory on the host" if state["OOMKilled"] else ""
        what = f"was ended from outside (exit code {state['ExitCode']}{oom})"
    else:
        what = "runs but does not answer"
    words = said.decode(errors="replace").strip()
    message = f"the container {what}{': ' if words else ''}{words}"
    return InfraFault(FaultKind.CONTAINER_LOST, message, retryable=True)
