"""Which gate a model passes: one per endpoint and key of a process, made where there is none."""

import asyncio
from weakref import WeakKeyDictionary, WeakValueDictionary

from agent_runner.provider.origin import origin_of
from agent_runner.provider.profile import ResolvedModel
from agent_runner.provider.traffic.gate import Gate
from agent_runner.provider.traffic.policy import TrafficPolicy

_Key = tuple[tuple[str, str, int], str]

_GATES: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[_Key, Gate]] = (
    WeakKeyDictionary()
)


def gate_of(resolved: ResolvedModel, policy: TrafficPolicy | None = None) -> Gate:
    """Return the gate of the endpoint and the key of `resolved`; call it in a running loop.

    It lives as long as somebody holds it, and remembers as long: a batch holds one from its
    beginning to its end. `policy` counts where the gate is made, the profile's own limits always.
    """
    profile = resolved.profile
    gates = _GATES.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    origin = origin_of(profile.base_url)
    key = (origin, resolved.api_key.get_secret_value())
    gate = gates.get(key)
    if gate is None:
        gate = gates[key] = Gate(f"{origin[1]}:{origin[2]}", policy)
    gate.bound(profile.max_in_flight, profile.requests_per_minute)
    return gate
