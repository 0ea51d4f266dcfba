"""The report of a run in SWE-bench's own shape, for the tools that read official reports."""

from collections.abc import Collection, Mapping

from agent_runner.grading.recipe import Failure, Report

SCHEMA_VERSION = 2
ENVIRONMENT = "environment"


def run_report(
    reports: Mapping[str, Report],
    *,
    dataset_ids: Collection[str],
    submitted_ids: Collection[str],
    empty_ids: Collection[str],
    error_ids: Collection[str],
    failures: Mapping[str, Failure] | None = None,
) -> dict[str, object]:
    """As `swebench.harness.reporting.make_run_report` writes it, but for the state of an engine.

    Args:
        reports: of the instances that came to one, by id: each the inner part of its `report.json`.
        empty_ids: submitted, but without a patch.
        error_ids: submitted, but without a report.
        failures: what the logs of instances that are not resolved show of a broken environment.
    """
    resolved = {name for name, report in reports.items() if report["resolved"]}
    unresolved = set(reports) - resolved
    told = {
        name: failure
        for name, failure in sorted((failures or {}).items())
        if name in unresolved or name in error_ids
    }
    infra = {name for name, failure in told.items() if failure.tier == ENVIRONMENT}
    ids = {
        "completed": set(reports),
        "incomplete": set(dataset_ids) - set(submitted_ids),
        "empty_patch": set(empty_ids),
        "submitted": set(submitted_ids),
        "resolved": resolved,
        "unresolved": unresolved,
        "infra_failure": infra,
        "ambiguous_failure": set(told) - infra,
        "error": set(error_ids),
    }
    counted = (
        "submitted", "completed", "resolved", "unresolved", "infra_failure", "ambiguous_failure",
        "empty_patch", "error",
    )  # fmt: skip
    return {
        "total_instances": len(dataset_ids),
        **{f"{name}_instances": len(ids[name]) for name in counted},
        **{f"{name}_ids": sorted(found) for name, found in ids.items()},
        "failure_reasons": {name: failure.reason for name, failure in told.items()},
        "schema_version": SCHEMA_VERSION,
    }
