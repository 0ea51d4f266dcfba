"""`python -m tests.corpora.instances DIRECTORY`: a real instance to try things on."""

from pathlib import Path

import click

from agent_runner import places
from tests.corpora.instances.released import INSTANCE_ID, make_instance


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def main(directory: Path) -> None:
    """Makes the row, its repository and a git configuration that leads there."""
    made = make_instance(directory.resolve(), places.home() / "corpora")
    click.echo(f"{INSTANCE_ID}: {len(made.truth.fail_to_pass)} tests fail until it is solved")


if __name__ == "__main__":
    main()
