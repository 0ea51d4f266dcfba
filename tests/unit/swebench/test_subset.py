"""The part of a data set that a command works on, and the options that name it."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agent_runner.benchmarks.swebench.subset import Filter, Subset, parse_filter
from agent_runner.commands.dataset_options import dataset_options
from agent_runner.errors import UsageError
from tests.unit.swebench.rows import NEW, numbered, write_lines


@pytest.fixture
def dataset(tmp_path: Path) -> str:
    """Four rows: two repositories, two versions."""
    kinds = [("a/b", "1.0"), ("a/b", "2.0"), ("c/d", "1.0"), ("a/b", "1.0")]
    rows = [
        row | {"repo": repo, "version": version}
        for row, (repo, version) in zip(numbered(4), kinds, strict=True)
    ]
    return write_lines(tmp_path / "set.jsonl", rows)


@pytest.mark.parametrize(
    ("ids", "filters", "chosen"),
    [
        ((), (), "1234"),
        (("someone__words-3", "someone__words-1"), (), "13"),
        ((), ("repo=a/b",), "124"),
        ((), ("repo=a/b", "version=1.0"), "14"),
        ((), ("repo=a/b", "repo=c/d", "version=1.0"), "134"),
        (("someone__words-1", "someone__words-3"), ("repo=c/d",), "3"),
    ],
)
def test_ids_and_filters_together(
    dataset: str, ids: tuple[str, ...], filters: tuple[str, ...], chosen: str
) -> None:
    subset = Subset(dataset, "test", ids, tuple(map(parse_filter, filters)))
    assert [name[-1] for name in subset.ids] == list(chosen)
    assert [row.instance_id[-1] for row in subset.rows()] == list(chosen)


@pytest.mark.parametrize(
    ("subset", "said"),
    [
        (("someone__words-9",), "no instance 'someone__words-9'; did you mean"),
        (Filter("repo", "a/bb"), "--filter repo=a/bb: no instance fits; did you mean a/b"),
        (Filter("version", "zzz"), "no instance fits; there are 1.0, 2.0"),
        (Filter("difficulty", "easy"), "has no column difficulty"),
    ],
)
def test_what_chooses_nothing_is_refused(
    dataset: str, subset: tuple[str, ...] | Filter, said: str
) -> None:
    ids = subset if isinstance(subset, tuple) else ()
    filters = (subset,) if isinstance(subset, Filter) else ()
    with pytest.raises(UsageError) as refused:
        _ = Subset(dataset, "test", ids, filters).ids
    assert said in str(refused.value)


def test_filters_that_exclude_each_other_are_refused(dataset: str) -> None:
    filters = (Filter("repo", "c/d"), Filter("version", "2.0"))
    with pytest.raises(UsageError, match="fit"):
        _ = Subset(dataset, filters=filters).ids


def test_rows_that_are_not_chosen_may_be_wrong(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "set.jsonl", [NEW, {"instance_id": "wrong"}])
    assert len(Subset(path, instance_ids=(NEW["instance_id"],)).rows()) == 1
    with pytest.raises(UsageError, match="wrong lacks repo, base_commit, FAIL_TO_PASS"):
        Subset(path).rows()


@pytest.mark.parametrize("text", ["repo", "rep=a", "=a", "patch=x", ""])
def test_a_filter_names_a_column_and_a_value(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected repo=\.\.\., version=\.\.\., difficulty="):
        parse_filter(text)


def chosen(*arguments: str) -> Subset | None:
    """What a command with the options gets."""
    found: list[Subset | None] = []

    @click.command()
    @dataset_options()
    def command(subset: Subset | None) -> None:
        found.append(subset)

    CliRunner().invoke(command, arguments, catch_exceptions=False)
    return found[0]


def test_the_options_come_as_one_subset() -> None:
    line = "--dataset x.jsonl --split dev --instance-ids a,b, --instance-ids c"
    arguments = [*line.split(), "--filter", "repo=a/b", "--filter", "version=1"]
    filters = (Filter("repo", "a/b"), Filter("version", "1"))
    assert chosen(*arguments) == Subset("x.jsonl", "dev", ("a", "b", "c"), filters)
    assert chosen("--dataset", "x") == Subset("x", "test")
    assert chosen() is None


@pytest.mark.parametrize(
    "arguments", [("--split", "a"), ("--instance-ids", "a"), ("--filter", "repo=a")]
)
def test_options_without_a_data_set_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=f"{arguments[0]} belongs to --dataset"):
        chosen(*arguments)


def test_instance_ids_that_name_none_do_not_mean_all() -> None:
    with pytest.raises(UsageError, match="--instance-ids names none"):
        chosen("--dataset", "x", "--instance-ids", " , ")
