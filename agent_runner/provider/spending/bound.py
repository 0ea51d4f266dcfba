"""How many tokens a request may cost at most, before it is sent."""

from collections.abc import Mapping, Sequence

from pydantic_core import to_json

from agent_runner.provider.endpoint import ChatRequest
from agent_runner.provider.profile import ModelProfile

_LIMIT_KEYS = ("max_completion_tokens", "max_tokens")


class PromptBound:
    """The prompt's tokens: the endpoint's last count, and every byte of what is new since then.

    A byte-level tokenizer never makes more tokens than there are bytes, and some models do make
    one of each digit; the usual quarter of the bytes is an estimate, no bound. What the template
    of the model adds is less than what the JSON of a message has beside its text. What was left
    out since then is not taken off, as nobody counted it.
    """

    def __init__(self) -> None:
        self._counted_tokens = 0
        self._messages: Sequence[object] = ()
        self._tools: Sequence[object] = ()

    def of(self, request: ChatRequest) -> int:
        """Return the most tokens the prompt of `request` can have."""
        known = len(self._messages)
        new: list[object] = [
            message
            for place, message in enumerate(request.messages)
            if place >= known or message != self._messages[place]
        ]
        if request.tools != self._tools:
            new += request.tools
        return self._counted_tokens + sum(len(to_json(each)) for each in new)

    def counted(self, request: ChatRequest, prompt_tokens: int) -> None:
        """Take what the endpoint counted of `request`."""
        self._counted_tokens = prompt_tokens
        self._messages = request.messages
        self._tools = request.tools


def completion_limit(profile: ModelProfile, extra: Mapping[str, object]) -> tuple[str, int]:
    """Return the key that bounds the reply of a request, and its bound in tokens.

    Args:
        extra: keys of this request, laid over those of the profile.
    """
    sent: dict[str, object] = {profile.max_tokens_as: profile.max_tokens}
    sent |= {**profile.extra_body, **extra}
    for key in _LIMIT_KEYS:
        given = sent.get(key)
        if isinstance(given, int) and given > 0:
            return key, given
    return profile.max_tokens_as, profile.context_tokens
