"""Which tasks a batch takes."""

import json
from pathlib import Path

import pytest

from agent_runner.batch.select import select
from agent_runner.batch.settings import Tasks
from agent_runner.errors import UsageError

ROWS = [
    {"task_id": "one__a", "repo": "git://x/one", "category": "api", "difficulty": "easy"},
    {"task_id": "one__b", "repo": "git://x/one", "category": "io", "difficulty": "hard"},
    {"task_id": "two__a", "repo": "git://x/two", "category": "api"},
    {"task_id": "two__b", "repo": "git://x/two"},
]


@pytest.fixture
def source(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return {"type": "file", "path": str(path)}


def chosen(source: dict[str, str], **rules: object) -> list[str]:
    return [one.task.task_id for one in select(Tasks.model_validate({"source": source, **rules}))]


def test_without_rules_all_in_their_order(source: dict[str, str]) -> None:
    assert chosen(source) == ["one__a", "one__b", "two__a", "two__b"]


@pytest.mark.parametrize(
    ("rules", "ids"),
    [
        ({"include": ["one__*"]}, ["one__a", "one__b"]),
        ({"include": ["two__b", "one__a"]}, ["one__a", "two__b"]),
        ({"exclude": ["*__a"]}, ["one__b", "two__b"]),
        ({"include": ["one__*"], "exclude": ["one__a"]}, ["one__b"]),
        ({"filter": {"category": ["api"]}}, ["one__a", "two__a"]),
        ({"filter": {"category": ["api", "io"], "repo": ["git://x/one"]}}, ["one__a", "one__b"]),
        ({"filter": {"difficulty": ["hard"]}}, ["one__b"]),
        ({"limit": 3}, ["one__a", "one__b", "two__a"]),
        ({"exclude": ["one__a"], "limit": 1}, ["one__b"]),
    ],
)
def test_rules(source: dict[str, str], rules: dict[str, object], ids: list[str]) -> None:
    assert chosen(source, **rules) == ids


def test_a_seed_draws_the_same_whatever_the_order_of_the_source(
    source: dict[str, str], tmp_path: Path
) -> None:
    turned = tmp_path / "turned.jsonl"
    turned.write_text("".join(json.dumps(row) + "\n" for row in reversed(ROWS)))
    rules = {"sample": {"size": 2, "seed": 7}}
    drawn = chosen(source, **rules)
    assert sorted(drawn) == sorted(chosen({"type": "file", "path": str(turned)}, **rules))
    draws = {tuple(chosen(source, sample={"size": 2, "seed": seed})) for seed in range(30)}
    assert len(draws) > 3


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"include": ["one__c"]}, "tasks.include: no task fits 'one__c'; did you mean one__"),
        ({"exclude": ["zzz*"]}, "tasks.exclude: no task fits 'zzz*'; there are one__a"),
        ({"filter": {"category": ["apj"]}}, "no task has 'apj'; did you mean api?"),
        ({"filter": {"repo": ["q"]}}, "there are git://x/one, git://x/two"),
        ({"exclude": ["*"]}, "the batch selects none of 4 tasks"),
        ({"sample": {"size": 5}}, "tasks.sample.size is 5, and there are 4 tasks"),
    ],
)
def test_what_fits_no_task_is_said(
    source: dict[str, str], rules: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(source, **rules)
    assert says in str(caught.value)


def test_the_seeds_come_along() -> None:
    found = select(Tasks.model_validate({"source": {"type": "seeds"}, "exclude": ["flask__*"]}))
    assert len(found) >= 7
