"""What a person reads at the end of a batch."""

import io

from agent_runner.batch.numbers.show import lines, show
from agent_runner.batch.numbers.summary import summarise
from agent_runner.result import RetriedUsage, Termination, ToolUse
from tests.contract.numbers.entries import entry, grade, hinted, lost, of, used

WHOLE = of(
    entry(
        "a", 1, turns=12, termination=Termination.SUBMITTED, usage=used(cost_usd=0.5),
        tool_use=ToolUse(calls={"docker_sh": 10}, failed=1, texts=2), repairs={"tool_name": 3},
        stages={"agent": 3725.0, "grade": 61.0}, category="bug", duration_s=3790.0,
    ),
    entry("a", 2, turns=8, status="unresolved", termination=Termination.MAX_TURNS, usage=used()),
    entry("b", 1, grade=grade(resolved=True, suspect=True), isolation=hinted("conftest"), tries=2),
    entry("b", 2, status="infra_error", error=lost()),
    planned=6,
)  # fmt: skip


def test_every_rate_has_its_interval_and_what_it_is_of() -> None:
    shown = lines(summarise(WHOLE))
    found = [" ".join(line.split()) for line in shown]
    for text in (
        "resolved 66.7% [20.8%, 93.9%] 2 of 3 with a verdict",
        "33.3% [9.7%, 70.0%] 2 of 6 planned",
        "pass@1 75.0% [50.0%, 100.0%] 2 tasks",
        "pass@2 100.0% (one task alone has no spread) 1 task, 1 left out",
        "suspect 1 resolved, 0 unresolved",
        "without them 33.3% [6.1%, 79.2%] 1 of 3 with a verdict",
        "no verdict 3 of 6: 1 infra_error, 2 missing",
        "1 x infra_error: container_lost in agent (b.2)",
        "$0.50 and what 1 of 2 episodes cost: unknown",
        "not in it: 1 earlier tries that were begun again",
        "2,000 prompt (50% cached), 200 completion",
        "20 in all, p50 10, p90 11.6 an episode",
        "per 100: docker_sh 50",
        "per 100: failed calls 5, texts 10, repair tool_name 15",
        "agent 1 h 2 min 1 h 2 min",
        "grade 1 min 1 s",
        "(none) 50.0% [9.5%, 90.5%] 1 of 2, 1 without a verdict",
        "1 h 3 min a.1 resolved",
        "$0.50 a.1 resolved",
    ):
        assert any(text in line for line in found), f"{text!r} is not in\n" + "\n".join(shown)


def test_it_is_narrow_and_one_text_for_a_stream() -> None:
    stream = io.StringIO()
    show(summarise(WHOLE), stream)
    written = stream.getvalue()
    assert written == "\n".join(lines(summarise(WHOLE))) + "\n"
    assert max(len(line) for line in written.splitlines()) <= 90


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    found = "\n".join(lines(summarise(of(entry("a"), entry("b", status="unresolved")))))
    for label in ("pass@", "suspect", "no verdict", "cost", "tokens", "turns  ", "repository"):
        assert label not in found
    assert "missing" in "\n".join(lines(summarise([], planned=3)))


def test_many_repositories_are_cut_where_the_file_has_them_all() -> None:
    there = [entry(f"t{n}", repo=f"https://example.org/o/r{n:02}.git") for n in range(20)]
    found = lines(summarise(of(*there)))
    assert "repository  o/r00  100.0%  [20.7%, 100.0%]  1 of 1" in found
    assert any("and 5 more in summary.json" in line for line in found)


def test_requests_that_were_sent_again_are_said() -> None:
    lost_ = RetriedUsage(cost_usd=0.25, uncounted=2)
    usage = used(cost_usd=1.5, retries=7, retried=lost_, reasoning_tokens=40)
    found = "\n".join(lines(summarise(of(entry("a", usage=usage)))))
    assert "7 requests were sent again, $0.25 of it; 2 of them may be billed and are in" in found
    assert "100 completion (40 reasoning)" in found


def test_a_cost_nobody_knows_is_no_dollar() -> None:
    found = "\n".join(lines(summarise(of(entry("a", usage=used())))))
    assert "unknown: the model's profile has no prices" in found
    assert "$" not in found
