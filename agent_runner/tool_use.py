"""What an agent spent its turns on, counted as they end."""

import json
from collections import Counter
from dataclasses import dataclass, field

from agent_runner.result import ToolUse
from agent_runner.trajectory import CallLine, TurnLine

PATCH = "swe_apply_patch"


@dataclass
class ToolUseTally:
    """Counts the calls of one episode."""

    _calls: Counter[str] = field(default_factory=Counter)
    _failed: int = 0
    _refused_patches: int = 0
    _repeated: int = 0
    _texts: int = 0
    _since_patch: set[tuple[str, str]] = field(default_factory=set)

    def turn(self, line: TurnLine) -> None:
        """Counts one turn."""
        self._texts += not line.calls
        for call in line.calls:
            self._call(call)

    def _call(self, call: CallLine) -> None:
        self._calls[call.tool] += 1
        self._failed += call.is_error
        same = (call.tool, json.dumps(call.arguments, sort_keys=True))
        self._repeated += same in self._since_patch
        if call.tool == PATCH and not call.is_error:
            # What was looked at or run before may be worth it again.
            self._since_patch.clear()
        self._since_patch.add(same)
        self._refused_patches += call.tool == PATCH and call.is_error

    def record(self) -> ToolUse:
        """The counts so far."""
        return ToolUse(
            calls=dict(sorted(self._calls.items())),
            failed=self._failed,
            refused_patches=self._refused_patches,
            repeated=self._repeated,
            texts=self._texts,
        )
