"""A row of SWE-bench, and the task it is."""

from pydantic import BaseModel, ConfigDict, Field

from agent_runner.task import Ids, Located, Official, Task

FORGE = "https://github.com"


class Row(BaseModel):
    """The columns that matter here, by name; a data set may have others, in any order.

    The last four came with SWE-bench 5.x and are empty in rows of 4.x.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    instance_id: str = Field(min_length=1)
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    base_commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    patch: str = ""
    test_patch: str = ""
    problem_statement: str = ""
    created_at: str = ""
    version: str = ""
    FAIL_TO_PASS: Ids = ()
    PASS_TO_PASS: Ids = ()
    difficulty: str = ""
    image: str = ""
    eval_script: str = ""
    log_parser: str = ""
    eval_type: str = ""

    def located(self) -> Located:
        """The task, its repository's address and the rules it is graded by."""
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
        official = Official(
            repo=self.repo,
            version=self.version,
            image=self.image,
            eval_script=self.eval_script,
            log_parser=self.log_parser,
            eval_type=self.eval_type,
        )
        return Located(task, task.repo, official)
