"""What was found, in words for a person."""

from agent_runner.provider.probe.asking import Told
from agent_runner.provider.probe.listing import Listed
from agent_runner.provider.profile import Prices


def listed_words(listed: Listed) -> str:
    """Say what the list says of a model."""
    said = [f"{listed.id} is listed"]
    if listed.context_tokens is not None:
        how = " in training, the server may hold less" if listed.trained_only else ""
        said.append(f"context {listed.context_tokens}{how}")
    if listed.max_output_tokens is not None:
        said.append(f"replies up to {listed.max_output_tokens}")
    said.append(_price_words(listed.prices))
    return ", ".join(said)


def _price_words(prices: Prices | None) -> str:
    if prices is None:
        return "no price"
    cached = "" if prices.cached is None else f", ${prices.cached:g} cached"
    return f"${prices.prompt:g} + ${prices.completion:g} per million tokens{cached}"


def instead_words(told: Told) -> str:
    """Say what came in place of the call that was asked for."""
    if told.reply is None:
        return f"a reply without text and call (finish_reason {told.finish_reason!r})"
    content = told.reply.result.content
    if isinstance(content, list):
        called = [f"{call.name}({call.arguments[:80]})" for call in content]
        return f"called {', '.join(called)} (finish_reason {told.finish_reason!r})"
    return f"no call, but text (finish_reason {told.finish_reason!r}): {content[:80]!r}"
