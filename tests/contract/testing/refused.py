"""What holds for every broken file that people write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_runner.errors import UsageError


def refused_in_one_line(load: Callable[[Path], object], path: Path, text: str, reason: str) -> None:
    """The message names the file and the reason."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message
