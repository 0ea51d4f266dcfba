"""A result in the making: what is known so far, so that any end can be written down."""

import hashlib
import importlib.metadata
from collections import Counter
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from agent_runner import __version__
from agent_runner.config import RunConfig
from agent_runner.errors import InfraFault, ProviderFault
from agent_runner.evidence import evidence
from agent_runner.grading.hints import hints_in_patch
from agent_runner.grading.saved import save
from agent_runner.grading.verdict import Verdict
from agent_runner.result import (
    ErrorInfo,
    ExploitHint,
    Grade,
    Provenance,
    Result,
    Status,
    Termination,
    Usage,
)
from agent_runner.run_dir import RunDir
from agent_runner.stages import Stages
from agent_runner.task import Task
from agent_runner.tool_use import ToolUseTally
from agent_runner.trajectory import TurnLine
from tools.testruns.tail import tail
from tools.workspace.isolation import Isolation


@dataclass
class Draft:
    """Collects; `result` makes the record."""

    task: Task
    config: RunConfig
    stages: Stages
    status: Status | None = None
    termination: Termination | None = None
    grade: Grade | None = None
    error: ErrorInfo | None = None
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    repairs: Counter[str] = field(default_factory=Counter)
    tool_use: ToolUseTally = field(default_factory=ToolUseTally)
    hints: list[ExploitHint] = field(default_factory=list)
    isolation: Isolation | None = None
    verdict: Verdict | None = None
    patch: bytes | None = None
    tail_before: str = ""
    tail_after: str = ""
    agent_container: str = ""
    provenance: dict[str, str | None] = field(default_factory=dict)
    model_profile: dict[str, JsonValue] | None = None

    def turn(self, line: TurnLine) -> None:
        """Counts a turn."""
        self.turns += 1
        self.repairs.update(line.repairs)
        self.tool_use.turn(line)

    def fail(self, error: BaseException) -> None:
        """Takes down what ended the episode from outside; a bug is `internal`."""
        stage = self.stages.current
        provider = isinstance(error, ProviderFault)
        self.status = Status.PROVIDER_ERROR if provider else Status.INFRA_ERROR
        if isinstance(error, InfraFault | ProviderFault):
            self.error = ErrorInfo(
                kind=error.kind, stage=stage, message=error.message, retryable=error.retryable
            )
        else:
            message = f"{type(error).__name__}: {error}"
            self.error = ErrorInfo(kind="internal", stage=stage, message=message, retryable=False)

    def invalid(self, message: str) -> None:
        """The task itself does not hold."""
        self.status = Status.INVALID_TASK
        self.error = ErrorInfo(
            kind="internal", stage=self.stages.current, message=message, retryable=False
        )

    def result(self) -> Result:
        """The record as of now."""
        task = self.task
        reference = task.patch.encode()
        in_patch = (
            self.verdict.hints if self.verdict else hints_in_patch(self.patch or b"", reference)
        )
        hints = (*self.hints, *in_patch)
        grade = self.grade.model_copy(update={"suspect": bool(hints)}) if self.grade else None
        ran = self.verdict.attempt.ran if self.verdict else None
        graded = ran.test_output.rstrip() if ran else ""
        return Result(
            task_id=task.task_id,
            repo=task.repo,
            ref=task.ref,
            pytest_k=task.pytest_k,
            status=self.status or Status.INTERRUPTED,
            duration_s=self.stages.elapsed_s(),
            tail=tail(graded) or tail(self.tail_after) or tail(self.tail_before),
            termination=self.termination,
            grade=grade,
            error=self.error,
            turns=self.turns,
            usage=self.usage,
            stages=self.stages.rounded(),
            repairs=dict(sorted(self.repairs.items())),
            tool_use=self.tool_use.record(),
            isolation=evidence(self.isolation, ran, self.agent_container, hints),
            patch_sha256=hashlib.sha256(self.patch).hexdigest() if self.patch is not None else None,
            provenance=self._provenance(),
        )

    def write(self, directory: RunDir) -> Result:
        """Writes everything that is known, `result.json` last, and returns the result."""
        directory.write("patch.diff", self.patch or b"")
        for name, text in (("before", self.tail_before), ("after", self.tail_after)):
            directory.write(f"tail_{name}.txt", tail(text).encode("utf-8", "replace"))
        result = self.result()
        if self.verdict is not None and result.grade is not None:
            save(replace(self.verdict, grade=result.grade), directory.grading)
        directory.finish(result)
        return result

    def _provenance(self) -> Provenance:
        with_agent = self.config.solver in {"agent", "replay"}
        return Provenance(
            agent_runner=__version__,
            autogen=importlib.metadata.version("autogen-agentchat") if with_agent else None,
            openai=importlib.metadata.version("openai") if with_agent else None,
            solver=self.config.solver,
            model_profile=self.model_profile,
            **self.provenance,
        )
