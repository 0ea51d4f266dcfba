"""The options that choose instances of a data set, for every command that works on many."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from agent_runner.benchmarks.swebench.subset import Subset, parse_filter
from agent_runner.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")
Command = Callable[..., R]


def dataset_options(*, required: bool = False) -> Callable[[Command[R]], Command[R]]:
    """Adds --dataset, --split, --instance-ids and --filter; they come as one `subset`.

    Without --dataset `subset` is None.
    """

    def decorate(function: Command[R]) -> Command[R]:
        @functools.wraps(function)
        def command(
            *args: object, dataset: str | None, split: str | None,
            instance_ids: tuple[str, ...], filters: tuple[str, ...], **others: object,
        ) -> R:  # fmt: skip
            subset = _subset(dataset, split, instance_ids, filters)
            return function(*args, subset=subset, **others)

        options = (
            click.option(
                "--dataset", required=required, metavar="NAME_OR_PATH",
                help="A .jsonl, .json or .parquet file, a directory with <split>.parquet, "
                "SWE-bench, SWE-bench_Lite, SWE-bench_Verified, or OWNER/NAME on Hugging Face.",
            ),
            click.option(
                "--split", metavar="NAME", help="Of a directory or Hugging Face set. [test]"
            ),
            click.option(
                "--instance-ids", multiple=True, metavar="ID,ID", help="Only these instances."
            ),
            click.option(
                "--filter", "filters", multiple=True, metavar="COLUMN=VALUE",
                help="Only rows with this repo, version or difficulty; one column twice means "
                "either value.",
            ),
        )  # fmt: skip
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _subset(
    dataset: str | None, split: str | None, instance_ids: tuple[str, ...], filters: tuple[str, ...]
) -> Subset | None:
    ids = tuple(name.strip() for text in instance_ids for name in text.split(",") if name.strip())
    if dataset is None:
        given = {"--split": split, "--instance-ids": ids, "--filter": filters}
        for option, value in given.items():
            if value:
                raise UsageError(f"{option} belongs to --dataset")
        return None
    if instance_ids and not ids:
        raise UsageError("--instance-ids names none")
    chosen = tuple(parse_filter(text) for text in filters)
    return Subset(dataset, split or "test", ids, chosen)
