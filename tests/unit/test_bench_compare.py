"""What the benchmark says of two graders: a difference of any kind is one."""

from tests.bench.row import Row, Series
from tests.bench.swebench.graded import Graded, Group, TestsStatus, differences
from tests.bench.swebench.sizes import bytes_own, bytes_together

MB = 10**6


def graded(
    *, passed: tuple[str, ...] = (), failed: tuple[str, ...] = (), has_report: bool = True,
    resolved: bool = False, name: str = "a__b-1",
) -> Graded:  # fmt: skip
    status: TestsStatus = {"FAIL_TO_PASS": {"success": passed, "failure": failed}}
    return Graded(
        instance_id=name, resolved=resolved, tests_status=status if has_report else None,
        wall_s=3.0, script_s=1.0,
    )  # fmt: skip


def test_equal_verdicts_have_no_difference() -> None:
    one = graded(passed=("t1",), failed=("t2",))
    assert differences([one], [one]) == []


def test_a_test_on_the_other_side_is_a_difference() -> None:
    (said,) = differences([graded(passed=("t1", "t2"))], [graded(passed=("t1",), failed=("t2",))])
    assert "t2" in said
    assert "ours FAIL_TO_PASS success, official FAIL_TO_PASS failure" in said


def test_a_test_that_one_does_not_know_is_a_difference() -> None:
    assert len(differences([graded(passed=("t1",))], [graded(passed=("t1", "t2"))])) == 1


def test_no_status_and_an_empty_one_differ() -> None:
    assert len(differences([graded(has_report=False)], [graded()])) == 1
    assert differences([graded(has_report=False)], [graded(has_report=False)]) == []


def test_the_verdict_itself_counts() -> None:
    assert len(differences([graded(resolved=True)], [graded()])) == 1


def test_an_instance_of_one_grader_alone_is_a_difference() -> None:
    assert len(differences([graded(name="a__b-2")], [graded()])) == 2


def test_another_patch_limit_or_image_is_another_group() -> None:
    keys = {
        Group("gold", {"a": "x"}).key({"a": "1"}),
        Group("gold", {"a": "y"}).key({"a": "1"}),
        Group("gold", {"a": "x"}, timeout_s=9).key({"a": "1"}),
        Group("gold", {"a": "x"}).key({"a": "2"}),
    }
    assert len(keys) == 4


def test_what_images_share_is_counted_once() -> None:
    known = {("base",): 100 * MB, ("base", "env"): 150 * MB, ("base", "env", "one"): 160 * MB,
             ("base", "env", "two"): 155 * MB}  # fmt: skip
    one, two = ("base", "env", "one"), ("base", "env", "two")
    assert bytes_together([one, two], known) == 165 * MB
    assert bytes_own(two, [one], known) == 5 * MB
    assert bytes_own(one, [], known) == 160 * MB


def test_ratio_of_a_p90_is_to_the_baselines_p90() -> None:
    mine = Series(name="m", samples_s=(1.0,) * 8 + (2.0, 3.0))
    base = Series(name="b", samples_s=(10.0,) * 8 + (40.0, 50.0))
    assert (mine.p50_s, mine.p90_s, mine.p99_s) == (1.0, 2.0, 3.0)
    p90 = Row(what="x", statistic="p90", measured=mine, baseline=base, most_ratio=0.05)
    assert (p90.ratio, p90.verdict) == (0.05, "pass")
    assert Row(what="x", measured=mine, baseline=base).ratio == 0.1
