import random
from collections import deque

import pytest

from agent_runner.provider.traffic.policy import TrafficPolicy
from agent_runner.provider.traffic.window import Entry, Window


def played(window: Window, bears: int, rounds: int) -> tuple[float, int]:
    """Callers that always want more, at an endpoint that refuses what is beyond `bears` at a time.

    Returns:
        The share of what it bears that was used, and how many requests it refused.
    """
    under_way: deque[Entry] = deque()
    used = refused = 0
    for _ in range(rounds * bears):
        while window.has_room:
            entry = window.enter()
            if len(under_way) == bears:
                window.overloaded(entry)
                refused += 1
                break
            under_way.append(entry)
        used += len(under_way)
        if under_way:
            window.succeeded(under_way.popleft())
    for _ in under_way:
        window.leave()
    return used / (rounds * bears * bears), refused


@pytest.mark.parametrize("bears", [1, 2, 3, 5, 8, 16, 33, 100])
def test_it_settles_close_below_what_the_endpoint_bears(bears: int) -> None:
    window = Window(TrafficPolicy())
    played(window, bears, 30)
    used, refused = played(window, bears, 200)
    assert used >= 0.85
    assert refused <= max(0.03 * 200 * bears, 25)
    assert window.in_flight == 0


def test_it_finds_more_room_when_there_is_more() -> None:
    window = Window(TrafficPolicy())
    played(window, 4, 50)
    played(window, 40, 80)
    used, _ = played(window, 40, 50)
    assert used >= 0.85


def test_a_burst_of_refusals_is_one_decrease() -> None:
    window = Window(TrafficPolicy(start_in_flight=20, decrease=0.5))
    sent = [window.enter() for _ in range(20)]
    assert [window.overloaded(each) for each in sent[:10]] == [True] + [False] * 9
    assert window.limit == 10
    assert window.overloaded(window.enter()) is True
    assert window.in_flight == 10


def test_it_grows_only_where_it_is_used_up_and_never_beyond_its_bound() -> None:
    window = Window(TrafficPolicy(start_in_flight=4))
    for _ in range(50):
        window.succeeded(window.enter())
    assert window.limit == 4
    window.bound(6)
    played(window, 100, 1)
    assert window.limit == 6
    window.bound(3)
    assert window.limit == 3


def test_after_an_outage_it_begins_with_one_and_doubles() -> None:
    window = Window(TrafficPolicy(start_in_flight=32))
    window.restart()
    sizes = []
    for _ in range(5):
        sizes.append(int(window.limit))
        under_way = [window.enter() for _ in range(int(window.limit))]
        for entry in under_way:
            window.succeeded(entry)
            window.enter()
        for _ in under_way:
            window.leave()
    assert sizes == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("share", "least"), [(0.05, 30), (0.1, 30), (0.5, 0)])
def test_refusals_by_chance_do_not_narrow_it_and_many_do(share: float, least: int) -> None:
    draw = random.Random(3)
    window = Window(TrafficPolicy(start_in_flight=32, most_in_flight=32))
    under_way = [window.enter() for _ in range(32)]
    for _ in range(2_000):
        entry = under_way.pop(0)
        if draw.random() < share:
            window.overloaded(entry)
        else:
            window.succeeded(entry)
        while window.has_room:
            under_way.append(window.enter())
    assert least <= window.limit
    assert least or window.limit < 10
