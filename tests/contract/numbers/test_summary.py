"""What a batch came to, from its results alone."""

import random
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_runner.batch.entry import Entry
from agent_runner.batch.numbers.amount import amount
from agent_runner.batch.numbers.summary import Summary, summarise
from agent_runner.batch.numbers.times import busy_s
from agent_runner.errors import UsageError
from agent_runner.result import Controls, Provenance, RetriedUsage, Status, Termination, ToolUse
from tests.contract.numbers.entries import START, entry, grade, hinted, lost, of, used

EPISODES = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 2)),
    st.builds(
        dict,
        status=st.sampled_from(Status),
        category=st.sampled_from(["", "bug", "feature"]),
        repo=st.sampled_from(["r/one", "r/two"]),
        termination=st.sampled_from([None, *Termination]),
        turns=st.integers(0, 40),
        tries=st.integers(1, 3),
        duration_s=st.floats(0, 5_000).map(lambda s: round(s, 3)),
    ),
    max_size=8,
)


def results(episodes: dict[tuple[str, int], dict[str, object]], missing: int) -> list[Entry]:
    made = [entry(task, attempt, **given) for (task, attempt), given in episodes.items()]  # type: ignore[arg-type]
    return of(*made, planned=len(made) + missing)


@given(EPISODES, st.integers(0, 3))
@settings(max_examples=25)
def test_statuses_add_up_to_what_was_planned(
    episodes: dict[tuple[str, int], dict[str, object]], missing: int
) -> None:
    there = results(episodes, missing)
    found = summarise(there, planned=len(there) + missing)
    assert sum(found.statuses.values()) == found.planned == len(there) + missing
    assert found.statuses["missing"] == missing
    counting = found.statuses["resolved"] + found.statuses["unresolved"]
    assert found.rates.of_verdicts.of == counting
    assert found.rates.of_all is not None
    assert found.rates.of_all.of == found.planned
    for _, groups in found.groups:
        assert sum(group.episodes for group in groups) in {0, len(there)}
        assert all(sum(group.statuses.values()) == group.episodes for group in groups)
        assert all((group.rates.of_all is None) == bool(missing) for group in groups)


@given(EPISODES, st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_the_order_of_results_changes_nothing(
    episodes: dict[tuple[str, int], dict[str, object]], chance: random.Random
) -> None:
    there = results(episodes, 1)
    first = summarise(there, planned=len(there) + 1).model_dump_json()
    chance.shuffle(there)
    assert summarise(there, planned=len(there) + 1).model_dump_json() == first


def test_statuses_that_do_not_add_up_are_no_summary() -> None:
    written = summarise(of(entry())).model_dump(mode="json")
    assert Summary.model_validate(written).planned == 1
    with pytest.raises(ValidationError, match="are not 2 episodes"):
        Summary.model_validate(written | {"planned": 2})


def test_a_fault_of_the_world_counts_in_one_denominator_only() -> None:
    found = summarise(
        of(entry("a"), entry("b", status="infra_error", error=lost()),
           entry("c", status="unresolved"), planned=5)
    )  # fmt: skip
    assert (found.rates.of_verdicts.rate, found.rates.of_verdicts.of) == (0.5, 2)
    assert found.rates.of_all is not None
    assert (found.rates.of_all.rate, found.rates.of_all.of) == (0.2, 5)
    assert found.statuses == {
        "resolved": 1, "unresolved": 1, "infra_error": 1, "provider_error": 0, "invalid_task": 0,
        "interrupted": 0, "missing": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (of(entry("a"), entry("a"), planned=3), "two results of a, attempt 1"),
        (of(entry("a"), entry("b"), planned=1), "2 results of 1 episodes"),
        ([*of(entry("a"), planned=3), *of(entry("b"), planned=4)], "of 3 and 4 episodes"),
        ([], "no results"),
    ],
)
def test_results_that_are_not_those_of_one_batch(entries: list[Entry], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        summarise(entries)


def test_a_batch_without_a_result_is_all_missing() -> None:
    found = summarise([], planned=4)
    assert found.statuses["missing"] == 4
    assert found.rates.of_verdicts.rate is None
    assert found.pass_at == ()
    assert found.usage.cost_usd.sum is None
    assert found.times.started_at is None
    assert found.times.episodes_per_hour is None


def test_pass_at_k_takes_verdicts_alone_and_counts_who_is_left_out() -> None:
    found = summarise(
        of(entry("a", 1), entry("a", 2, status="unresolved"),
           entry("b", 1), entry("b", 2, status="provider_error", error=lost("provider_quota")),
           entry("c", 1, status="infra_error", error=lost()))
    )  # fmt: skip
    one, two = found.pass_at
    assert (one.k, one.estimate, one.tasks, one.left_out) == (1, 0.75, 2, 1)
    assert (two.k, two.estimate, two.tasks, two.left_out) == (2, 1.0, 1, 2)
    assert (found.tasks, found.attempts) == (3, 2)


def test_groups_are_by_what_episodes_say_of_themselves() -> None:
    found = summarise(
        of(entry("a", category="bug", termination=Termination.SUBMITTED),
           entry("b", category="bug", status="unresolved", termination=Termination.MAX_TURNS),
           entry("c", status="unresolved", repo="other"))
    ).groups  # fmt: skip
    assert [(g.name, g.episodes, g.rates.of_verdicts.rate) for g in found.category] == [
        ("bug", 2, 0.5), (None, 1, 0.0),
    ]  # fmt: skip
    assert [g.name for g in found.termination] == ["max_turns", "submitted", None]
    assert [g.name for g in found.repository] == ["https://example.org/owner/name", "other"]
    assert found.difficulty == ()


def test_suspects_are_counted_and_the_rate_is_given_without_them() -> None:
    suspect = grade(resolved=True, suspect=True)
    found = summarise(
        of(entry("a"), entry("b", grade=suspect, isolation=hinted("conftest", "conftest", "exit")),
           entry("c", status="unresolved", grade=grade(resolved=False, suspect=True)),
           entry("d", status="unresolved"))
    ).verdicts  # fmt: skip
    assert (found.suspect_resolved, found.suspect_unresolved) == (1, 1)
    assert (found.without_suspects.of_verdicts.resolved, found.without_suspects.of_verdicts.of) == (
        1, 4,
    )  # fmt: skip
    assert found.hints == {"conftest": 1, "exit": 1}


def test_verdicts_say_what_they_rest_on() -> None:
    held = Controls(gold="passed", empty="passed")
    found = summarise(
        of(entry("a", grade=grade(resolved=True, official=False, reran=("t::x",), controls=held)),
           entry("b", grade=grade(resolved=True, network="open")),
           entry("c", status="invalid_task", grade=grade(resolved=True)))
    ).verdicts  # fmt: skip
    assert (found.first_run_resolved, found.reran, found.network_open, found.controlled) == (
        1, 1, 1, 1,
    )  # fmt: skip


def test_a_cost_that_is_unknown_is_counted_and_is_not_zero() -> None:
    known = entry("a", usage=used(cost_usd=0.5, retries=2))
    unknown = entry("b", usage=used(cached_tokens=None))
    both = summarise(of(known, unknown)).usage
    assert (both.cost_usd.sum, both.cost_usd.known, both.cost_usd.unknown) == (0.5, 1, 1)
    assert both.cost_per_resolved_usd is None
    assert (both.prompt_tokens.sum, both.cached_tokens.sum, both.cached_tokens.unknown) == (
        2000, 500, 1,
    )  # fmt: skip
    assert (both.calls, both.retries, both.episodes) == (20, 2, 2)
    assert summarise(of(unknown)).usage.cost_usd.sum is None
    alone = summarise(of(known, entry("b", status="unresolved"))).usage
    assert (alone.cost_per_resolved_usd, alone.episodes) == (0.5, 1)


def test_replies_that_were_thrown_away_are_told_apart() -> None:
    lost_ = RetriedUsage(prompt_tokens=300, completion_tokens=20, cost_usd=0.1, uncounted=1)
    unknown = RetriedUsage(prompt_tokens=50)
    found = summarise(
        of(entry("a", usage=used(cost_usd=0.5, retries=2, retried=lost_, reasoning_tokens=60)),
           entry("b", usage=used(cost_usd=0.5, retries=1, retried=unknown, reasoning_tokens=None)),
           entry("c", usage=used(cost_usd=0.5)))
    ).usage  # fmt: skip
    assert (found.retries, found.retried.uncounted) == (3, 1)
    assert (found.retried.prompt_tokens, found.retried.completion_tokens) == (350, 20)
    assert (found.retried.cost_usd.sum, found.retried.cost_usd.unknown) == (0.1, 1)
    assert (found.reasoning_tokens.sum, found.reasoning_tokens.unknown) == (60, 1)


def test_time_is_counted_once_where_episodes_overlap_and_not_between_sessions() -> None:
    def span(task: str, start_min: int, end_min: int) -> Entry:
        start, end = (START + timedelta(minutes=each) for each in (start_min, end_min))
        return entry(task, started_at=start, ended_at=end, turns=10)

    found = summarise(
        of(span("a", 0, 10), span("b", 5, 20), span("c", 6, 7), span("d", 500, 510))
    ).times
    assert found.busy_s == 30 * 60
    assert found.episodes_per_hour == 8
    assert found.turns_per_hour == 80
    assert found.started_at == START
    assert found.ended_at == START + timedelta(minutes=510)


def test_a_clock_that_was_set_back_makes_no_time() -> None:
    assert busy_s([(START, START - timedelta(hours=1))]) == 0


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8))
def test_time_is_what_counting_minutes_gives(spans: list[tuple[int, int]]) -> None:
    minutes = {minute for start, end in spans for minute in range(start, end)}
    found = busy_s(
        (START + timedelta(minutes=start), START + timedelta(minutes=end)) for start, end in spans
    )
    assert found == 60 * len(minutes)


def test_stages_are_those_that_ran_in_the_order_of_the_contract() -> None:
    found = summarise(
        of(entry("a", stages={"grade": 4.0, "agent": 10.0}), entry("b", stages={"agent": 20.0}))
    ).times.stages
    assert list(found) == ["agent", "grade"]
    assert (found["agent"].sum, found["agent"].p50, found["agent"].most) == (30.0, 15.0, 20.0)
    assert (found["grade"].known, found["grade"].unknown, found["grade"].p90) == (1, 0, 4.0)


def test_percentiles_lie_between_the_values_there_are() -> None:
    found = amount(range(101), 3)
    assert (found.p50, found.p90, found.most, found.sum) == (50, 90, 100, 5050)
    assert amount([None, None], 3).unknown == 2
    assert amount([None, None], 3).sum is None


def test_where_turns_went() -> None:
    uses = ToolUse(calls={"docker_sh": 3, "swe_pytest": 1}, failed=2, refused_patches=1, repeated=1)
    found = summarise(
        of(entry("a", turns=4, tool_use=uses, repairs={"tool_name": 1}),
           entry("b", turns=16, tool_use=ToolUse(calls={"docker_sh": 15}, texts=1)),
           entry("c", status="infra_error", error=lost()))
    ).turns  # fmt: skip
    assert (found.turns.known, found.turns.sum) == (2, 20)
    assert {name: (c.count, c.per_100_turns) for name, c in found.calls.items()} == {
        "docker_sh": (18, 90.0), "swe_pytest": (1, 5.0),
    }  # fmt: skip
    counts = (found.failed, found.refused_patches, found.repeated, found.texts)
    assert [count.count for count in counts] == [2, 1, 1, 1]
    assert found.repairs["tool_name"].per_100_turns == 5.0
    assert summarise(of(entry())).turns.failed.per_100_turns is None


def test_faults_are_grouped_and_tries_counted() -> None:
    there = [entry(f"t{n}", status="infra_error", error=lost(), tries=3) for n in range(4)]
    found = summarise(
        of(*there, entry("u", status="infra_error", error=lost("stage_timeout", "clone")))
    )
    first, second = found.faults
    assert (first.kind, first.stage, first.episodes) == ("container_lost", "agent", 4)
    assert first.examples == ("t0.1", "t1.1", "t2.1")
    assert (second.kind, second.episodes) == ("stage_timeout", 1)
    assert (found.tries.begun, found.tries.repeated, found.tries.most) == (13, 4, 3)


def test_outliers_are_the_five_that_took_most() -> None:
    there = [
        entry(f"t{n}", duration_s=float(n), usage=used(cost_usd=n / 10 if n < 3 else None))
        for n in range(7)
    ]
    found = summarise(of(*there)).outliers
    assert [one.directory for one in found.slowest] == ["t6.1", "t5.1", "t4.1", "t3.1", "t2.1"]
    assert [one.directory for one in found.most_expensive] == ["t2.1", "t1.1"]


def test_what_the_results_were_made_with() -> None:
    def by(answered: str | None) -> Provenance:
        return Provenance(agent_runner="0.1.0", solver="agent", model_answered=answered)

    found = summarise(
        of(*(entry(f"t{n}", provenance=by(name)) for n, name in enumerate(["m-2", "m-1", None])))
    ).made_with
    assert (found.solver, found.model_answered, found.model_asked) == (
        ("agent",), ("m-1", "m-2"), (),
    )  # fmt: skip


def test_numpy_is_loaded_for_intervals_alone() -> None:
    code = (
        "import sys, agent_runner.batch.numbers.show, agent_runner.batch.numbers.write;"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
