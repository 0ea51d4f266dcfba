"""Seconds, tokens and dollars as a person reads them at a glance."""


def clock(seconds: float) -> str:
    """`83 s`, `12:05`, `3:07:09`: up to a hundred seconds as such."""
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def about(seconds: float) -> str:
    """A guess, no finer than it can be: `about 40 s`, `about 9 min`, `about 2 h 10 min`."""
    if seconds < 95:
        return f"about {max(10, 10 * round(seconds / 10))} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"about {minutes} min"
    hours, minutes = divmod(10 * round(minutes / 10), 60)
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"


def tokens(count: int) -> str:
    """`950`, `12.3k`, `1.2M`."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k" if count < 999_950 else f"{count / 1_000_000:.1f}M"


def dollars(amount: float) -> str:
    """To the cent; below one `$0.006`, `$0.0004`."""
    return f"${amount:.2f}" if amount == 0 or amount >= 0.01 else f"${amount:.4f}".rstrip("0")


def counted(count: int, noun: str) -> str:
    """`1 turn`, `2 turns`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
