"""How a tool says no: text that the model reads, never an exception that leaves the workbench."""


class ToolRefusal(Exception):
    """A tool could not do what was asked.

    The message is the whole text the model gets: what happened, what the state now is, what to try.
    """
