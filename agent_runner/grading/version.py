"""What verdicts are made with: raised with every change that can change one."""

import importlib.metadata

RULES = "1"


def grading_version() -> str:
    """Ours and that of the benchmark's own package, for the key of whatever keeps verdicts."""
    return f"{RULES}+swebench-{importlib.metadata.version('swebench')}"
