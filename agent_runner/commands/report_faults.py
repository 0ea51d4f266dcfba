"""Commands without a result: what the world did is one line and exit 3."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from agent_runner.errors import InfraFault, ProviderFault


@contextmanager
def reporting_faults() -> Iterator[None]:
    """Ends the command where engine, disk, network or provider fail, or it is interrupted."""
    try:
        yield
    except (InfraFault, ProviderFault) as fault:
        click.echo(f"agent_runner: {fault.kind}: {fault.message}", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
