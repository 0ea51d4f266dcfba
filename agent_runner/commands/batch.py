"""`batch`: many tasks, many attempts, many at once; what was cut short goes on."""

from pathlib import Path

import click

from agent_runner.errors import UsageError
from agent_runner.imports import collector_paused

EPILOG = """\b
Examples:
  agent_runner batch configs/seeds.yaml --set solver=gold
  agent_runner batch configs/swebench-lite.yaml --set model=kimi --set tasks.limit=20 --out lite
  agent_runner batch --resume lite --set limits.batch_cost_usd=40
  agent_runner batch --resume lite --only unresolved

The directory holds episodes/<task>.<attempt>/ (a run directory each), results.jsonl (a line the
moment an episode ends), preds.jsonl, summary.json and config.yaml; tries/ has the tries that the
world or the provider ended.

Exit codes: 0 every episode has a verdict; 2 the command line or a YAML is wrong, or --resume is of
another batch; 3 an episode has none (engine, disk, network, provider, an invalid task, a limit of
the batch); 130 interrupted. --resume goes on from whatever is on disk."""


@click.command(epilog=EPILOG)
@click.argument("config", required=False, type=click.Path(path_type=Path))
@click.option("--resume", "begun", type=click.Path(path_type=Path), help="Go on with this batch.")
@click.option(
    "--only", metavar="STATUS,...",
    help="With --resume: run again what ended so, and nothing else; `missing` is what did not. "
    "[missing,infra_error,provider_error]",
)  # fmt: skip
@click.option("--set", "sets", multiple=True, metavar="KEY.SUB=VALUE", help="One setting.")
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="The directory; must be new. [sandbox/runs/<time>-<config>]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Events on stdout, one JSON object a line.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but what went wrong.")
@click.option("--print-config", is_flag=True, help="Print the whole configuration; run nothing.")
def command(
    config: Path | None, begun: Path | None, only: str | None, sets: tuple[str, ...],
    out: Path | None, as_json: bool, quiet: bool, print_config: bool,
) -> None:  # fmt: skip
    """Runs many tasks, many attempts, many at once, and says what came of them.

    It can be killed at any moment: --resume runs exactly what is missing, was interrupted, or
    failed for reasons of the world or the provider.
    """
    if (config is None) == (begun is None):
        raise UsageError("name one configuration, or a batch that was begun with --resume DIR")
    with collector_paused():
        from agent_runner.commands.batch_run import Asked, print_configuration, run
    asked = Asked(config, begun, only, sets, out, as_json=as_json, quiet=quiet)
    if print_config:
        print_configuration(asked)
    else:
        raise click.exceptions.Exit(run(asked))
