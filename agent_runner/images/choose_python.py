"""The base image of a task: the Python its project wants, or the nearest one that can be had."""

from collections.abc import Awaitable, Callable

from agent_runner.environments.plan import Wish
from agent_runner.errors import FaultKind, InfraFault
from tools.workspace.layers.base_image import Base


async def choose_base(wish: Wish, bring: Callable[[str], Awaitable[Base]]) -> Base:
    """Brings the chosen Python's base, else that of the nearest one the project supports.

    Args:
        bring: makes the base of a Python; that of another one where this one cannot be had.

    Raises:
        InfraFault: `image_unavailable`, where none can be had, or not the one a row names.
    """
    first = await bring(wish.choice.python)
    if first.python == wish.choice.python:
        return first
    wanted = wish.task.python
    if wanted:
        message = f"the task wants Python {wanted}; only {first.python} can be had here"
        raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
    for python in wish.choice.others:
        base = first if python == first.python else await bring(python)
        if base.python == python:
            return base
    supported = ", ".join((wish.choice.python, *wish.choice.others))
    message = f"the project wants Python {supported}; only {first.python} can be had here"
    raise InfraFault(FaultKind.IMAGE_UNAVAILABLE, message)
