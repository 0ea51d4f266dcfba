"""A real instance of SWE-bench's kind from its row to the verdict, without a forge.

Its repository is made from two releases on PyPI; which tests must pass is found by plain pytest.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_runner import places
from tests.corpora.instances.damage import cases
from tests.corpora.instances.released import CODE, INSTANCE_ID, TEST_FILES, Instance, make_instance
from tests.e2e.conftest import Cli, Ran, ours

pytestmark = pytest.mark.e2e

IDS = ("FAIL_TO_PASS", "PASS_TO_PASS")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return make_instance(tmp_path_factory.mktemp("released"), places.home() / "corpora")


def run(cli: Cli, instance: Instance, *args: str) -> Ran:
    dataset = ("--dataset", str(instance.dataset), "--task-id", INSTANCE_ID)
    return cli(*dataset, *args, env=instance.env)


def passed_and_failed(grade: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    lists = [grade[name] for name in IDS]
    return (
        {test for each in lists for test in each["success"]},
        {test for each in lists for test in each["failure"]},
    )


def test_reference_patch_resolves_it_and_the_grade_is_what_plain_pytest_finds(
    cli: Cli, instance: Instance
) -> None:
    ran = run(cli, instance, "--solver", "gold")
    assert ran.exit_code == 0, ran.stderr
    result, truth = ran.result, instance.truth
    assert result["status"] == "resolved"
    assert result["grade"]["official"] is True
    assert result["grade"]["controls"]["gold"] == "passed"
    assert result["grade"]["network"] == "closed"
    assert set(result["grade"]["FAIL_TO_PASS"]["success"]) == set(truth.fail_to_pass)
    assert set(result["grade"]["PASS_TO_PASS"]["success"]) == set(truth.pass_to_pass)
    assert ours(ran.out) == []


def test_without_a_patch_it_is_not_resolved_and_the_control_holds(
    cli: Cli, instance: Instance
) -> None:
    ran = run(cli, instance, "--solver", "none")
    assert ran.exit_code == 1, ran.stderr
    grade = ran.result["grade"]
    assert ran.result["status"] == "unresolved"
    assert grade["controls"]["empty"] == "passed"
    expected = set(instance.truth.pass_to_pass), set(instance.truth.fail_to_pass)
    assert passed_and_failed(grade) == expected


def test_agent_solves_it_with_its_tools_and_never_sees_the_fix(
    cli: Cli, instance: Instance, tmp_path: Path
) -> None:
    """The repository it comes from has the fix; what the agent may look at has not."""
    script = tmp_path / "script.yaml"
    script.write_text(yaml.safe_dump({"turns": turns(instance)}), encoding="utf-8")
    ran = run(cli, instance, "--solver", "replay", "--recording", str(script))
    assert ran.exit_code == 0, ran.stderr
    result = ran.result
    assert (result["status"], result["termination"]) == ("resolved", "submitted")
    isolation = result["isolation"]
    assert (isolation["commits_after_base"], isolation["unreachable_objects"]) == (0, 0)
    assert isolation["foreign_git_stores"] == []
    assert isolation["hidden_tests_present"] is False
    assert isolation["fresh_grader"] is True
    assert set(isolation["network"].values()) == {"closed"}


def turns(instance: Instance) -> list[dict[str, Any]]:
    """A model that looks, patches, tests and submits; each turn needs the answer before it."""
    base, fixed = instance.row["base_commit"], instance.fixed_commit
    calls: list[tuple[list[str], str, dict[str, Any]]] = [
        ([], "swe_clone", {}),
        ([base[:12]], "swe_install", {}),
        (["sqlparse 0.4.1 (editable)"], "swe_pytest", {"paths": list(TEST_FILES)}),
        (
            [" passed"],
            "docker_sh",
            {"command": f"git log --all --oneline | wc -l; git show {fixed}"},
        ),
        (["1\n", "bad object"], "swe_apply_patch", {"patch": instance.row["patch"]}),
        (["applied"], "swe_pytest", {"paths": [TEST_FILES[-1]]}),
    ]
    replies = [
        {"expect": seen, "reply": {"calls": [{"tool": tool, "arguments": arguments}]}}
        for seen, tool, arguments in calls
    ]
    return [*replies, {"expect": ["passed"], "reply": {"content": "Done.\n\nTERMINATE"}}]


@pytest.mark.parametrize(
    ("predictions", "resolved"), [("gold", True), ("empty", False), ("partial", False)]
)
def test_predictions_are_graded_officially(
    cli: Cli, instance: Instance, tmp_path: Path, predictions: str, resolved: bool
) -> None:
    given = predictions
    if predictions == "partial":
        given = str(tmp_path / "preds.jsonl")
        line = {
            "instance_id": INSTANCE_ID,
            "model_name_or_path": "somebody's",
            "model_patch": partial(instance),
        }
        Path(given).write_text(json.dumps(line) + "\n", encoding="utf-8")
    ran = cli(
        "grade", "--dataset", str(instance.dataset), "--predictions", given, "--no-controls",
        env=instance.env,
    )  # fmt: skip
    assert ran.exit_code == 0, ran.stderr
    whole = json.loads((ran.out / "report.json").read_text(encoding="utf-8"))
    assert (INSTANCE_ID in whole["resolved_ids"]) is resolved
    report = json.loads((ran.out / INSTANCE_ID / "report.json").read_text(encoding="utf-8"))
    one = report[INSTANCE_ID]
    assert (one["resolved"], one["patch_successfully_applied"]) == (resolved, True)
    passed, failed = passed_and_failed(one["tests_status"])
    assert passed | failed == {*instance.truth.fail_to_pass, *instance.truth.pass_to_pass}
    if predictions == "partial":
        assert 0 < len(failed & set(instance.truth.fail_to_pass)) < len(instance.truth.fail_to_pass)
    else:
        assert failed == (set() if resolved else set(instance.truth.fail_to_pass))


def partial(instance: Instance) -> str:
    """The reference patch, and code that fails one of its tests."""
    (case,) = [case for case in cases([instance.reference], 1) if case.kind == "partial"]
    assert CODE in case.patch
    return case.patch
