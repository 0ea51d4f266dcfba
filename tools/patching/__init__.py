"""The patch engine: from what a model wrote to the files it means, or a refusal. No I/O.

`parse` reads a patch, `candidate_paths` says what has to be looked at, `plan` works out all that is
to be written; `python -m tools.patching DIR DIFF` does the whole on a directory.
"""

from tools.patching.apply import plan
from tools.patching.change import Action, FileChange, Hunk, Line
from tools.patching.entry import Entry
from tools.patching.explain import success_text
from tools.patching.limits import PatchLimits
from tools.patching.outcome import FileOutcome, Plan, Write
from tools.patching.parse import parse
from tools.patching.paths import candidate_paths
from tools.patching.reasons import Reason
from tools.patching.refusal import PatchRefusal

__all__ = [
    "Action",
    "Entry",
    "FileChange",
    "FileOutcome",
    "Hunk",
    "Line",
    "PatchLimits",
    "PatchRefusal",
    "Plan",
    "Reason",
    "Write",
    "candidate_paths",
    "parse",
    "plan",
    "success_text",
]
