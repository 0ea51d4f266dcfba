"""What a grading of many came to: the official report of the run, and our own words beside it."""

import json
from collections.abc import Mapping

from agent_runner.benchmarks.swebench.report import run_report
from agent_runner.evaluation.directory import GradeDir, GradeFacts, Outcome
from agent_runner.evaluation.work import named
from agent_runner.grading.recipe import Failure
from agent_runner.grading.saved import FACTS, read_saved
from agent_runner.result import Record, Status


class Summary(Record):
    """The run in our own words (`summary.json`, and what --json prints).

    Attributes:
        total: instances of the data set that were chosen.
        official_resolved: by the first run alone; `resolved` is after lone failures ran again.
        without_verdict: id -> why: the world failed, or the task does not hold on this machine.
        not_graded: chosen and predicted, but the run was cut short.
    """

    directory: str
    total: int
    submitted: int
    resolved: int
    official_resolved: int
    unresolved: int
    empty: int
    incomplete: int
    without_verdict: dict[str, str]
    invalid_task_ids: tuple[str, ...]
    suspect_ids: tuple[str, ...]
    reran_ids: tuple[str, ...]
    unknown_ids: tuple[str, ...]
    not_graded: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every prediction that was chosen has a verdict."""
        return not self.without_verdict and not self.not_graded

    def lines(self) -> list[str]:
        """For people."""
        said = [
            f"{self.resolved} resolved, {self.unresolved} unresolved, {self.empty} empty, "
            f"{len(self.without_verdict)} without a verdict, of {self.submitted} predictions "
            f"for {self.total} instances"
        ]
        if self.official_resolved != self.resolved:
            said.append(f"by the first run alone: {self.official_resolved} resolved")
        lists = {
            "suspect (the patch may change how tests run)": self.suspect_ids,
            "a lone PASS_TO_PASS failure was run again": self.reran_ids,
            "the task does not hold here": self.invalid_task_ids,
            "not in the data set": self.unknown_ids,
            "not graded": self.not_graded,
        }
        said.append(f"written to {self.directory}")
        return said + [f"{what}: {named(ids)}" for what, ids in lists.items() if ids]


def summarise(directory: GradeDir, facts: GradeFacts) -> Summary:
    """Reads every outcome, writes `report.json` and `summary.json`."""
    outcomes = {
        name: outcome
        for name in facts.submitted_ids
        if (outcome := directory.outcome(name)) is not None
    }
    _write_report(directory, facts, outcomes)
    summary = _summary(directory, facts, outcomes)
    directory.write("summary.json", summary.model_dump_json(indent=2) + "\n")
    return summary


def _write_report(directory: GradeDir, facts: GradeFacts, outcomes: Mapping[str, Outcome]) -> None:
    graded = [name for name in facts.submitted_ids if name not in set(facts.empty_ids)]
    reports = {
        name: report
        for name, outcome in outcomes.items()
        if not outcome.counts_as_error and (report := directory.report(name)) is not None
    }
    report = run_report(
        reports,
        dataset_ids=facts.selected_ids,
        submitted_ids=facts.submitted_ids,
        empty_ids=facts.empty_ids,
        error_ids=[name for name in graded if name not in reports],
        failures={name: failure for name in outcomes if (failure := _failure(directory, name))},
    )
    directory.write("report.json", json.dumps(report, indent=4) + "\n")


def _failure(directory: GradeDir, instance_id: str) -> Failure | None:
    """What its log shows of a broken environment."""
    place = directory.instance(instance_id)
    return read_saved(place).failure if (place / FACTS).is_file() else None


def _summary(directory: GradeDir, facts: GradeFacts, outcomes: Mapping[str, Outcome]) -> Summary:
    def ids_of(status: Status) -> list[str]:
        return [name for name, each in outcomes.items() if each.status is status]

    grades = {name: each.grade for name, each in outcomes.items() if each.grade}
    done = {*outcomes, *facts.empty_ids}
    return Summary(
        directory=str(directory.path),
        total=len(facts.selected_ids),
        submitted=len(facts.submitted_ids),
        resolved=len(ids_of(Status.RESOLVED)),
        official_resolved=sum(
            grade.official for name, grade in grades.items() if outcomes[name].has_verdict
        ),
        unresolved=len(ids_of(Status.UNRESOLVED)),
        empty=len(facts.empty_ids),
        incomplete=len(set(facts.selected_ids) - set(facts.submitted_ids)),
        without_verdict={
            name: each.reason for name, each in outcomes.items() if not each.has_verdict
        },
        invalid_task_ids=tuple(ids_of(Status.INVALID_TASK)),
        suspect_ids=tuple(name for name, grade in grades.items() if grade.suspect),
        reran_ids=tuple(name for name, grade in grades.items() if grade.reran),
        unknown_ids=facts.unknown_ids,
        not_graded=tuple(name for name in facts.submitted_ids if name not in done),
    )
