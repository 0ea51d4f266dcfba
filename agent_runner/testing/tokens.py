"""The fake endpoint's tokens: a quarter of the characters, rounded up, message by message."""

from agent_runner.testing.chat import Chat, ChatMessage

_CHARS_PER_TOKEN = 4


def tokens_of(chat: Chat) -> int:
    """Count the prompt."""
    return sum(tokens_in(_written(each)) for each in chat.messages)


def tokens_in(text: str) -> int:
    """Count a text."""
    return -(-len(text) // _CHARS_PER_TOKEN)


def _written(message: ChatMessage) -> str:
    calls = message.tool_calls or ()
    return message.text + "".join(call.function.name + call.function.arguments for call in calls)
