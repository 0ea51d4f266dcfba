"""Which parameters an endpoint refuses: asked once with all of them, then without one at a time."""

from collections.abc import Iterator
from http import HTTPStatus

from agent_runner.errors import ProviderFault
from agent_runner.provider.probe.asking import Asker, Question, Told
from agent_runner.provider.profile import Parameter

OPTIONAL: tuple[Parameter, ...] = ("seed", "parallel_tool_calls", "temperature")
"""What is sent with the first question, to see whether it is taken."""

_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_AS_COMPLETION = "max_completion_tokens"


async def ask_with_all(asker: Asker, question: Question) -> Told:
    """Return the answer; what had to be left out for it, the asker leaves out from then on.

    Raises:
        ProviderFault: the endpoint refuses the question whatever is left out, or fails.
    """
    try:
        return await asker.ask(question)
    except ProviderFault as fault:
        if fault.status not in _REFUSED:
            raise
        first = fault
    return await _without(asker, question, first)


async def _without(asker: Asker, question: Question, first: ProviderFault) -> Told:
    """Leave out what the refusals name, one after the other; then all that can be left out."""
    fault = first
    for _ in range(len(OPTIONAL) + 1):
        named = next(_named(asker, fault.message), None)
        if named is None:
            break
        _leave_out(asker, named)
        try:
            return await asker.ask(question)
        except ProviderFault as again:
            if again.status not in _REFUSED:
                raise
            fault = again
    rest = tuple(name for name in OPTIONAL if name not in asker.profile.omit)
    if not rest:
        raise first
    asker.without(rest)
    return await asker.ask(question)


def _named(asker: Asker, message: str) -> Iterator[str]:
    """The parameters that a refusal speaks of and that are still sent."""
    if asker.profile.max_tokens_as != _AS_COMPLETION and "max_" in message:
        yield _AS_COMPLETION
    yield from (n for n in OPTIONAL if n in message and n not in asker.profile.omit)


def _leave_out(asker: Asker, named: str) -> None:
    if named == _AS_COMPLETION:
        asker.limit_as_completion_tokens()
    else:
        asker.without(tuple(name for name in OPTIONAL if name == named))
