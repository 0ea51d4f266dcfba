"""What a gate tells of its endpoint; as text, one line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paused:
    """No request goes for `wait_s`; then one tries."""

    host: str
    why: str
    wait_s: float

    def __str__(self) -> str:
        return f"provider paused: {self.host}: {self.why}; next try in {self.wait_s:.0f} s"


@dataclass(frozen=True)
class Back:
    """It answers again, after `down_s`."""

    host: str
    down_s: float

    def __str__(self) -> str:
        return f"provider back: {self.host} answers again after {self.down_s:.0f} s"


@dataclass(frozen=True)
class Refused:
    """It refuses for good: no further request is sent."""

    host: str
    why: str

    def __str__(self) -> str:
        return f"provider refused: {self.host}: {self.why}; no further request is sent"


News = Paused | Back | Refused
