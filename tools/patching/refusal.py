"""The one exception of this package."""

from tools.errors import ToolRefusal
from tools.patching.explain import refusal_text
from tools.patching.reasons import Reason

__all__ = ["PatchRefusal"]


class PatchRefusal(ToolRefusal):
    """A patch was not applied and nothing was changed; the message is the text for the model.

    Attributes:
        reason: the kind of refusal.
        summary: one line that says what is wrong and where.
        detail: the lines expected and the lines there, "" where that does not help.
    """

    def __init__(self, reason: Reason, summary: str, detail: str = "") -> None:
        super().__init__(refusal_text(reason, summary, detail))
        self.reason = reason
        self.summary = summary
        self.detail = detail
