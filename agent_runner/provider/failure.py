"""What one failed request says about its endpoint: for the others who wait, and for the bill."""

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.faults import AnswerFault

_FORBIDDEN = 403
_NO_INSTANCES = "no instances available"
_UNAVAILABLE = 503
_OVERLOADS = frozenset({429, 503, 529})
# A proxy's word for "whoever answers here took too long", who may have answered and billed.
_LATE_BEHIND_A_PROXY = frozenset({504, 520, 524})
_FINAL = frozenset({ProviderKind.AUTH, ProviderKind.QUOTA, ProviderKind.MODEL})
_SHOWN_CHARS = 160


def has_no_instances(fault: ProviderFault | None) -> bool:
    """Say whether the endpoint runs no instance of the model: nobody's load, and one may start."""
    return (
        fault is not None
        and fault.status == _UNAVAILABLE
        and _NO_INSTANCES in fault.message.lower()
    )


def is_overload(fault: ProviderFault) -> bool:
    """Say whether fewer requests at a time would have helped."""
    return fault.status in _OVERLOADS and not has_no_instances(fault)


def is_final(fault: ProviderFault) -> bool:
    """Say whether every further request would fail alike: the key, the quota, the model.

    A 403 is not: gateways also say it of one prompt that they do not like.
    """
    return fault.kind in _FINAL and not fault.retryable and fault.status != _FORBIDDEN


def may_be_billed(fault: ProviderFault) -> bool:
    """Say whether the endpoint may have answered and counted, although no reply came of it."""
    if fault.status is None:
        return not isinstance(fault, AnswerFault) or fault.sent
    return fault.status in _LATE_BEHIND_A_PROXY


def shown(fault: ProviderFault) -> str:
    """Return the fault's message, cut for a line that says more than that."""
    text = fault.message
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def again(fault: ProviderFault) -> ProviderFault:
    """Return a copy to raise elsewhere: a traceback belongs to one raise."""
    copy = type(fault).__new__(type(fault), *fault.args)
    copy.__dict__.update(fault.__dict__)
    return copy
