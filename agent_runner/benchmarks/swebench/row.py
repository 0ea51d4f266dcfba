"""A row of SWE-bench, and the task it is."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from agent_runner.benchmarks.swebench.script import eval_script, parser_of
from agent_runner.document import explain
from agent_runner.errors import UsageError
from agent_runner.task import Located, Official, Task

FORGE = "https://github.com"
EVAL_TYPE = "pass_and_fail"
# Above this an epoch counts milliseconds: as seconds it would be the year 5138.
MILLISECONDS_FROM = 100_000_000_000


def _ids(value: object) -> object:
    """Test ids are a list, or (in most sets) that list as a JSON string."""
    return json.loads(value or "[]") if isinstance(value, str) else value


def _day(value: object) -> object:
    """A date is ISO text, a timestamp of Parquet, or an epoch as pandas writes it to JSON."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
        value = datetime.fromtimestamp(seconds, UTC)
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]


class Row(BaseModel):
    """The columns that matter here, by name; a data set may have others, in any order.

    The last four came with SWE-bench 5.x and are empty in rows of 4.x; `located` makes up for them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    # The id names a directory of results.
    instance_id: str = Field(pattern=r"^[^./\x00-\x1f][^/\x00-\x1f]*$", max_length=200)
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    base_commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    patch: str = ""
    test_patch: str = ""
    problem_statement: str = ""
    created_at: Annotated[str, BeforeValidator(_day)] = ""
    version: str = ""
    FAIL_TO_PASS: Ids = Field(min_length=1)
    PASS_TO_PASS: Ids = ()
    difficulty: str = ""
    image: str = ""
    eval_script: str = ""
    log_parser: str = ""
    eval_type: str = ""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        """A null column is one that is not there."""
        if isinstance(value, Mapping):
            return {key: each for key, each in value.items() if each is not None}
        return value

    def located(self) -> Located:
        """The task, its repository's address and the rules it is graded by.

        Raises:
            UsageError: the row lacks something that nothing here can make up for.
        """
        task = Task(
            task_id=self.instance_id,
            repo=f"{FORGE}/{self.repo}",
            ref=self.base_commit,
            problem_statement=self.problem_statement,
            created_at=self.created_at,
            patch=self.patch,
            test_patch=self.test_patch,
            FAIL_TO_PASS=self.FAIL_TO_PASS,
            PASS_TO_PASS=self.PASS_TO_PASS,
            difficulty=self.difficulty,
        )
        return Located(task, task.repo, self._official())

    def _official(self) -> Official:
        return Official(
            repo=self.repo,
            version=self.version,
            image=self.image,
            eval_script=self.eval_script or self._script(),
            log_parser=self.log_parser or self._parser(),
            eval_type=self.eval_type or EVAL_TYPE,
        )

    def _script(self) -> str:
        if not self.test_patch:
            raise UsageError(f"{self.instance_id} lacks eval_script, and test_patch to make it of")
        from agent_runner.environments.facts import find_facts

        command = find_facts(self.repo, self.version).test_cmd
        try:
            return eval_script(self.base_commit, self.test_patch, command)
        except ValueError as error:
            raise UsageError(
                f"{self.instance_id} lacks eval_script, and its test_patch {error}"
            ) from error

    def _parser(self) -> str:
        found = parser_of(self.repo)
        if not found:
            raise UsageError(
                f"{self.instance_id} lacks log_parser, and swebench knows none for {self.repo}"
            )
        return found


def read_row(columns: object, where: str) -> Row:
    """A checked row.

    Args:
        where: file and line, or the set, for messages.

    Raises:
        UsageError: it lacks columns, which are named, or one is wrong.
    """
    if not isinstance(columns, Mapping):
        raise UsageError(f"{where}: a row is a JSON object")
    name = columns.get("instance_id") or "the row"
    needed = [key for key, field in Row.model_fields.items() if field.is_required()]
    lacking = [key for key in needed if not _is_there(columns.get(key))]
    if lacking:
        raise UsageError(f"{where}: {name} lacks {', '.join(lacking)}")
    try:
        return Row.model_validate(columns)
    except ValidationError as error:
        raise UsageError(f"{where}: {name}: {explain(error, Row.model_fields)}") from error


def _is_there(value: object) -> bool:
    return value is not None and value not in ("", [], "[]")
