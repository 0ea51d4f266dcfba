"""The lines of `trajectory.jsonl`."""

import json
from pathlib import Path

from agent_runner.result import Termination
from agent_runner.trajectory import (
    AttemptLine,
    CallLine,
    End,
    Header,
    Trajectory,
    TurnLine,
    TurnUsage,
)

HEADER = Header(
    task_id="a", solver="agent", model="m", system_prompt="s", task_prompt="t", tools=("swe_clone",)
)


def turn(content: str = "", text: str = "") -> TurnLine:
    call = CallLine(
        id="c1", tool="docker_sh", arguments={"command": "ls"}, is_error=False, text=text,
        handle="o1", exit_code=0, duration_s=0.1,
    )  # fmt: skip
    return TurnLine(
        turn=1, content=content, reasoning=None, finish_reason="tool_calls",
        usage=TurnUsage(prompt_tokens=1, completion_tokens=2, cached_tokens=None),
        attempts=(AttemptLine(status=200, error=None, duration_s=0.2),),
        repairs={}, calls=(call,), duration_s=0.3,
    )  # fmt: skip


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_keys_stand_in_the_order_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.jsonl"
    with Trajectory.create(path) as trajectory:
        trajectory.write(HEADER)
        trajectory.write(turn())
        trajectory.write(End(termination=Termination.SUBMITTED))
    header, written, end = lines(path)
    assert header["type"] == "header"
    assert " ".join(written) == (
        "type turn content reasoning finish_reason usage attempts repairs calls duration_s "
        "repair_steps lowered_max_tokens"
    )
    (call,) = json.loads(json.dumps(written["calls"]))
    assert " ".join(call) == "id tool arguments is_error text handle exit_code duration_s"
    assert end == {"type": "end", "termination": "submitted"}


def test_every_line_is_on_disk_before_the_next_is_written(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.jsonl"
    with Trajectory.create(path) as trajectory:
        everything: list[Header | TurnLine | End] = [HEADER, turn(), End(termination=None)]
        for count, line in enumerate(everything, start=1):
            trajectory.write(line)
            assert len(lines(path)) == count


def test_text_of_any_kind_stays_on_its_line_and_reads_back(tmp_path: Path) -> None:
    content = "grün\n\u2028\r\x00\x1b[0m 🎉 half a pair: \udc80"
    path = tmp_path / "trajectory.jsonl"
    with Trajectory.create(path) as trajectory:
        trajectory.write(turn(content=content, text=content))
    (written,) = lines(path)
    assert written["content"] == content
    assert "grün" in path.read_text(encoding="utf-8")


def test_a_line_reads_back_as_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.jsonl"
    with Trajectory.create(path) as trajectory:
        trajectory.write(turn(content="x"))
    assert TurnLine.model_validate(lines(path)[0]) == turn(content="x")
