"""A process of its own that reads one log by SWE-bench's parsers and `get_eval_report`.

Started by its path, it takes a request as JSON on stdin and answers on stdout. A parser can be made
to hang or to fill the memory by what it reads: the limits are the process's, and its end harms
nobody.
"""

import importlib.util
import json
import resource
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path

START, END = ">>>>> Start Test Output", ">>>>> End Test Output"
MEMORY_BYTES = 3 << 30
CPU_S = 120
MODEL = "agent_runner"
# Exit codes for what no log can bring about; any other than 0 is the log's doing.
CANNOT_LOAD, UNKNOWN_PARSER = 3, 4


class UnknownParser(Exception):
    """The row names a parser that `swebench` does not have."""


def load() -> None:
    """Imports the harness's grading without the rest of the harness.

    Its package imports Docker, datasets and Modal for other ends, which takes a second; `grading`
    itself needs none of them.
    """
    found = importlib.util.find_spec("swebench")
    if found is None or found.origin is None:
        raise ImportError("swebench is not installed")
    harness = types.ModuleType("swebench.harness")
    harness.__path__ = [str(Path(found.origin).parent / "harness")]
    sys.modules["swebench.harness"] = harness
    importlib.import_module("swebench.harness.grading")


def report(request: dict[str, str | list[str]]) -> dict[str, object]:
    """The official report of one instance.

    Results outside the markers never count in favour of a patch: where the harness finds none
    between them it reads the whole log, and what passes there alone is left out.
    """
    from swebench.harness.grading import get_eval_report  # type: ignore[import-untyped]
    from swebench.harness.log_parsers import PARSER_REGISTRY  # type: ignore[import-untyped]
    from swebench.types import TestSpec  # type: ignore[import-untyped]

    log = Path(str(request.pop("log")))
    spec = TestSpec(eval_script_list=[], **request)
    if spec.log_parser not in PARSER_REGISTRY:
        raise UnknownParser(f"swebench has no log_parser {spec.log_parser!r}")
    parser = PARSER_REGISTRY[spec.log_parser]
    reads: list[bool] = []

    def counted(text: str, test_spec: TestSpec) -> dict[str, str]:
        statuses: dict[str, str] = parser(text, test_spec)
        reads.append(bool(statuses))
        return statuses

    PARSER_REGISTRY[spec.log_parser] = counted
    made = _report(get_eval_report, spec, log)
    if reads[:1] == [False] and _has_success(made):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
            file.write(_section(log))
            file.flush()
            made = _report(get_eval_report, spec, Path(file.name))
    return made


def failure(log: str) -> tuple[str, str] | None:
    """The reason and the tier of a broken environment, as far as the log shows one."""
    from swebench.harness.infra_failure import classify_logs  # type: ignore[import-untyped]

    found: tuple[str, str] | None = classify_logs(log)
    return found


def _report(
    get_eval_report: Callable[..., dict[str, dict[str, object]]], spec: object, log: Path
) -> dict[str, object]:
    instance_id: str = spec.instance_id  # type: ignore[attr-defined]
    prediction = {
        "instance_id": instance_id, "model_name_or_path": MODEL, "model_patch": "there is one",
    }  # fmt: skip
    return get_eval_report(spec, prediction, str(log), True)[instance_id]


def _has_success(made: dict[str, object]) -> bool:
    status = made.get("tests_status")
    lists = status.values() if isinstance(status, dict) else ()
    return bool(made["resolved"]) or any(each["success"] for each in lists)


def _section(log: Path) -> str:
    """The log without what stands outside the markers, but for the exit code."""
    text = log.read_text(encoding="utf-8")
    _, start, rest = text.partition(START)
    section, end, after = rest.partition(END)
    return start + section + end + "\n".join(after.split("\n", 3)[:3])


def main() -> int:
    """Answers one request; at the end of the input without one it just ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    try:
        load()
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_LOAD
    asked = sys.stdin.read()
    if asked:
        try:
            request = json.loads(asked)
            answer = {"failure": failure(request["log"]), "report": report(request)}
            json.dump(answer, sys.stdout)
        except UnknownParser as error:
            sys.stderr.write(f"{error}\n")
            return UNKNOWN_PARSER
    return 0


if __name__ == "__main__":
    sys.exit(main())
