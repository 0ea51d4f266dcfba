"""Who is told what: people, machines, the log."""

import asyncio
import io
import os
import re

import pytest

from agent_runner.batch.display.view import BatchView
from agent_runner.batch.events import from_json
from agent_runner.screen import screen
from tests.unit.batch.told import (
    ALL,
    BEGUN,
    ENDED,
    FAILED,
    REMARK,
    SLOW,
    STARTED,
    STEP,
    TURN,
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _a_capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(screen, "REFRESH_S", 0.02)


def told(view: BatchView) -> None:
    for event in ALL:
        view.tell(event)


async def test_machines_get_every_event_and_nothing_else() -> None:
    events = io.StringIO()
    view = BatchView(io.StringIO(), events=events)
    with view.shown():
        told(view)
    assert tuple(map(from_json, events.getvalue().splitlines())) == ALL


def test_the_log_gets_every_event_with_its_time() -> None:
    log, stream = io.StringIO(), io.StringIO()
    told(BatchView(stream, log=log, quiet=True))
    lines = log.getvalue().splitlines()
    assert len(lines) == len(ALL)
    stamps = [f"{event.at:%Y-%m-%dT%H:%M:%SZ} " for event in ALL]
    assert [line[: len(stamp)] for line, stamp in zip(lines, stamps, strict=True)] == stamps


def test_people_get_the_news() -> None:
    stream = io.StringIO()
    view = BatchView(stream)
    for event in (STARTED, BEGUN, STEP, TURN, ENDED):
        view.tell(event)
    assert stream.getvalue().splitlines() == [
        "40 episodes, 8 at once (asked for: as many as the machine bears)",
        " 1/40  tidyframe__x.1  resolved, 7 turns, 12.3 s, $0.02",
    ]


def test_quiet_leaves_what_went_wrong() -> None:
    stream = io.StringIO()
    view = BatchView(stream, quiet=True)
    for event in (STARTED, BEGUN, ENDED, FAILED):
        view.tell(event)
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["2/40"]


def test_a_remark_true_of_all_is_said_once() -> None:
    stream, log = io.StringIO(), io.StringIO()
    view = BatchView(stream, log=log)
    for attempt in range(3):
        view.tell(REMARK.model_copy(update={"attempt": attempt}))
    assert len(stream.getvalue().splitlines()) == 1
    assert len(log.getvalue().splitlines()) == 3


async def test_silence_is_broken_by_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "SILENCE_S", 0.06)
    stream = io.StringIO()
    view = BatchView(stream)
    view.tell(STARTED)
    with view.shown():
        view.tell(BEGUN)
        view.tell(TURN)
        await asyncio.sleep(0.16)
    beats = stream.getvalue().splitlines()[1:]
    assert 1 <= len(beats) <= 2
    assert beats[0].startswith("0/40 done · 1 running · 39 waiting · ")
    assert "longest: tidyframe__x.1, turn 3, " in beats[0]


async def test_nothing_breaks_the_silence_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screen, "SILENCE_S", 0.05)
    stream = io.StringIO()
    with BatchView(stream, quiet=True).shown():
        await asyncio.sleep(0.15)
    assert stream.getvalue() == ""


async def shown_on(view: BatchView) -> None:
    with view.shown():
        view.tell(STARTED)
        view.tell(BEGUN)
        view.tell(TURN)
        view.tell(SLOW)
        await asyncio.sleep(0.05)
        view.tell(ENDED)


async def test_a_terminal_has_the_table_and_the_news_above_it() -> None:
    stream = Terminal()
    await shown_on(BatchView(stream))
    written = stream.getvalue()
    assert "0/40 done · 1 running" in written
    assert "t3    swe_pytest -> 3 passed" in written
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written)
    assert " 1/40  tidyframe__x.1  resolved, 7 turns, 12.3 s, $0.02\n" in plain


@pytest.mark.parametrize("why", ["dumb", "quiet", "json on the same terminal"])
async def test_no_table_where_it_would_be_a_mess(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if why == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    events = Terminal() if "json" in why else None
    await shown_on(BatchView(stream, quiet=why == "quiet", events=events))
    assert "\x1b" not in stream.getvalue()
    assert ("resolved" in stream.getvalue()) == (why != "quiet")


async def test_that_nobody_reads_the_events_stops_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = io.StringIO()
    with os.fdopen(writing, "w") as events:
        view = BatchView(stream, events=events)
        with view.shown():
            view.tell(STARTED)
            await asyncio.sleep(0.05)
            view.tell(ENDED)
            view.tell(ENDED)
    assert stream.getvalue().count("nobody reads the events any more: Broken pipe") == 1
    assert " 2/40  tidyframe__x.1" in stream.getvalue()
