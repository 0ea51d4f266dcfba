"""The rules of a SWE-bench row: its own script, its own parser, its own report."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from agent_runner.benchmarks.swebench import parse
from agent_runner.grading.attempt import InvalidTask
from agent_runner.grading.canonical import END, START
from agent_runner.grading.recipe import Failure, Log, Read, Reading, Recipe, Report, Script
from agent_runner.grading.script import INSTALLED
from agent_runner.result import TestList
from agent_runner.task import Located, Official, Task

PARSE = Path(parse.__file__)
PARSE_LIMIT_S = 60.0
# The index is closed, and what builds need is in the layer; the tests see nothing of this.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_RETRIES": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
INSTALL = re.compile(r"(?:\w+=\S+ )*(?:\S*python[\d.]* -m )?(?:uv )?pip[\d.]* install\b")
HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
TOO_LONG = "the log is longer than what is kept of one"
TOO_SLOW = f"the log could not be read within {PARSE_LIMIT_S:.0f} s"
# All the process gets of our environment.
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


def recipe(located: Located) -> Recipe:
    """How a row is graded.

    Raises:
        InvalidTask: its script has no markers, so that nobody can say what its tests print.
    """
    task, official = located.task, located.official
    assert official is not None

    @asynccontextmanager
    async def reader() -> AsyncIterator[Read]:
        async with _parser() as parser:
            yield lambda log: _read(parser, task, official, log)

    return Recipe(
        instance_id=task.task_id,
        protected=(),
        test_patch=b"",
        script=script_of(official.eval_script),
        reader=reader,
        fail_to_pass=task.FAIL_TO_PASS,
        pass_to_pass=task.PASS_TO_PASS,
        strict_empty=False,
        rules=f"{official.log_parser} {official.eval_type}",
        reference=task.patch.encode(),
    )


def script_of(eval_script: str) -> Script:
    """The three parts of an official script; its markers are left out.

    Raises:
        InvalidTask: it has none.
    """
    lines = eval_script.strip().split("\n")
    starts = [number for number, line in enumerate(lines) if START in line]
    ends = [number for number, line in enumerate(lines) if END in line]
    if not starts or not ends or ends[0] < starts[0]:
        raise InvalidTask("the eval_script has no start and end marker")
    start, end = starts[0], ends[0]
    return Script(
        before="\n".join(_with_status(lines[:start])),
        tests="\n".join(lines[start + 1 : end]),
        after="\n".join(lines[end + 1 :]),
        shell="/bin/bash",
        traced=True,
        offline_env=OFFLINE,
    )


def _with_status(lines: list[str]) -> list[str]:
    """Takes down the status of each install line."""
    made, delimiter, is_install = [], "", False
    for line in lines:
        made.append(line)
        if delimiter:
            delimiter = "" if line == delimiter else delimiter
            continue
        is_install = is_install or bool(INSTALL.match(line))
        if line.endswith("\\"):
            continue
        if is_install:
            made.append(INSTALLED)
            is_install = False
        elif found := HERE_DOCUMENT.search(line):
            delimiter = found[2]
    return made


@asynccontextmanager
async def _parser() -> AsyncIterator[Process]:
    """A process that reads one log, importing beside the container's work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-X", "utf8", str(PARSE),
        stdin=PIPE, stdout=PIPE, stderr=PIPE,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _read(parser: Process, task: Task, official: Official, log: Log) -> Reading:
    if not log.is_whole:
        return _reading(task, unread_report(), TOO_LONG)
    try:
        async with asyncio.timeout(PARSE_LIMIT_S):
            request = json.dumps(_request(task, official, log)).encode()
            answer, error = await parser.communicate(request)
    except TimeoutError:
        return _reading(task, unread_report(), TOO_SLOW)
    text = error.decode(errors="replace").strip().rpartition("\n")[2][-200:]
    match parser.returncode:
        case 0:
            said = json.loads(answer)
            failure = Failure(*said["failure"]) if said["failure"] else None
            return replace(_reading(task, said["report"], ""), failure=failure)
        case parse.CANNOT_LOAD:
            raise RuntimeError(text)
        case parse.UNKNOWN_PARSER:
            raise InvalidTask(text)
        case code:
            return _reading(task, unread_report(), f"the parser failed ({text or code})")


def _request(task: Task, official: Official, log: Log) -> dict[str, object]:
    return {
        "log": str(log.path),
        "instance_id": task.task_id,
        "image": official.image,
        "repo": official.repo,
        "version": official.version,
        "FAIL_TO_PASS": task.FAIL_TO_PASS,
        "PASS_TO_PASS": task.PASS_TO_PASS,
        "log_parser": official.log_parser,
        "eval_type": official.eval_type,
    }


def unread_report() -> Report:
    """The report of a run whose log says nothing, in the official shape."""
    return {
        "patch_is_None": False,
        "patch_exists": True,
        "patch_successfully_applied": False,
        "resolved": False,
        "infra_failure": False,
    }


def _reading(task: Task, report: Report, note: str) -> Reading:
    status = report.get("tests_status")
    found = status if isinstance(status, dict) else {}
    return Reading(
        resolved=bool(report["resolved"]),
        fail_to_pass=_tests(found.get("FAIL_TO_PASS"), task.FAIL_TO_PASS),
        pass_to_pass=_tests(found.get("PASS_TO_PASS"), task.PASS_TO_PASS),
        report=report,
        note=note,
    )


def _tests(found: Mapping[str, list[str]] | None, ids: tuple[str, ...]) -> TestList:
    """A suite that did not run has failed."""
    if found is None:
        return TestList(failure=ids)
    return TestList(success=tuple(found["success"]), failure=tuple(found["failure"]))
