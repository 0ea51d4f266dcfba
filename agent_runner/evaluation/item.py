"""A prediction and the row it is for, ready to be graded."""

import hashlib
from dataclasses import dataclass

from agent_runner.benchmarks.swebench.predictions import Prediction
from agent_runner.benchmarks.swebench.row import Row
from agent_runner.errors import UsageError
from agent_runner.evaluation.directory import Outcome, fingerprint
from agent_runner.grading.attempt import InvalidTask
from agent_runner.grading.recipe import Recipe
from agent_runner.grading.version import grading_version
from agent_runner.recipes import recipe_of
from agent_runner.result import Status
from agent_runner.task import Located


@dataclass(frozen=True)
class Item:
    """A prediction and the row it is for, checked."""

    row: Row
    located: Located
    recipe: Recipe
    prediction: Prediction

    @classmethod
    def of(cls, row: Row, prediction: Prediction) -> "Item":
        """Raises UsageError: the row lacks something; its script cannot be followed."""
        located = row.located()
        try:
            return cls(row, located, recipe_of(located), prediction)
        except InvalidTask as error:
            raise UsageError(f"{row.instance_id}: {error}") from error

    @property
    def patch(self) -> bytes:
        """What is graded."""
        return self.prediction.patch or b""

    @property
    def identity(self) -> str:
        """Of all that makes its verdict, but for the layer below."""
        return fingerprint(
            [
                ("patch", self.patch),
                ("fault", self.prediction.fault.encode()),
                ("recipe", self.recipe.key.encode()),
                ("version", grading_version().encode()),
            ]
        )

    def outcome(self, status: Status, reason: str) -> Outcome:
        """One without a grade."""
        return Outcome(
            instance_id=self.row.instance_id,
            status=status,
            reason=" ".join(reason.split()),
            patch_sha256=hashlib.sha256(self.patch).hexdigest(),
            identity=self.identity,
        )
