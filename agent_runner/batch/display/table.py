"""The live table of a batch, as lines that fit: a header, and a row per episode under way."""

from collections.abc import Iterable
from itertools import islice

from agent_runner.batch.display.header import held, progress, rate, spending
from agent_runner.batch.display.state import BatchState, Key, Running
from agent_runner.screen.cells import fit, flow
from agent_runner.screen.figures import clock, counted, tokens
from agent_runner.screen.live_table import Styled

LEAST_WHAT = 26
LEAST_NAME = 12
# Between the columns, and what turn, seconds and tokens take.
GAP = "  "
FIGURES = 3 * len(GAP) + len(GAP) + 4 + 7 + 6


def table(state: BatchState, now_s: float, width: int, height: int) -> list[Styled]:
    """At most `height` lines of at most `width` cells.

    What does not fit is said: `and 12 more`. The header gives way last.
    """
    lines = _header(state, now_s, width)
    room = height - len(lines)
    if not state.running or room < 2:
        return lines[: max(0, height)]
    name_width = max(LEAST_NAME, min(state.longest_name, width - FIGURES - LEAST_WHAT))
    shown = len(state.running) if len(state.running) <= room else room - 1
    for key, one in islice(_by_need(state), shown):
        lines.append(_row(state, key, one, now_s, name_width, width))
    if shown < len(state.running):
        more = len(state.running) - shown
        lines.append(Styled(fit(f"and {more} more", width).rstrip(), "dim"))
    return lines


def _header(state: BatchState, now_s: float, width: int) -> list[Styled]:
    lines = [Styled(line, "bold") for line in flow(progress(state, now_s), width)]
    lines += [Styled(line) for line in flow(rate(state), width)]
    lines += [Styled(line) for line in flow(spending(state), width)]
    if state.held is not None:
        lines.append(Styled(fit(held(state, now_s), width).rstrip(), "yellow"))
    if state.stuck:
        text = f"{counted(len(state.stuck), 'episode')} stuck, see below"
        lines.append(Styled(fit(text, width).rstrip(), "yellow"))
    if state.paused:
        lines.append(Styled(fit(f"paused: {state.paused}", width).rstrip(), "bold red"))
    return lines


def _by_need(state: BatchState) -> Iterable[tuple[Key, Running]]:
    """Who is stuck comes first, then in the order they began: nothing jumps."""
    yield from ((key, state.running[key]) for key in state.stuck if key in state.running)
    yield from ((key, one) for key, one in state.running.items() if key not in state.stuck)


def _row(
    state: BatchState, key: Key, one: Running, now_s: float, name_width: int, width: int
) -> Styled:
    what, style = one.what, ""
    if (wait := state.stuck.get(key)) is not None:
        what, style = f"stuck {clock(now_s - wait.since_s)}: {wait.waits_for}", "yellow"
    used = "?" if one.tokens is None else tokens(one.tokens)
    figures = f"{GAP}{clock(now_s - one.began_s):>7}{GAP}{used:>6}"
    turn = f"{GAP}t{one.turn:<3}{GAP}" if one.turn else GAP + " " * 4 + GAP
    what_width = width - name_width - len(turn) - len(figures)
    named = fit(one.name, name_width, keep_end=True)
    return Styled(f"{named}{turn}{fit(what, what_width)}{figures}", style)
