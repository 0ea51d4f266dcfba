"""The fake endpoint as a program."""

import asyncio
import ipaddress
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click
from pydantic_core import to_json

from agent_runner.errors import UsageError
from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.catalogue import FAULTS
from agent_runner.testing.counts import Stats, Visit
from agent_runner.testing.delivery import Late
from agent_runner.testing.endpoint import FakeEndpoint
from agent_runner.testing.listing import ListedModel, ListShape
from agent_runner.testing.plan import DRAWN, FaultPlan
from agent_runner.testing.script import Always, Script, ScriptedReply

FILE = click.Path(path_type=Path)
PORT = click.IntRange(0, 65_535)
SHARE = click.FloatRange(0, 1)
SECONDS = click.FloatRange(0)
SIZE = click.IntRange(1)
CANNED = "Done.\nTERMINATE"
EPILOG = """\b
Examples:
  python -m agent_runner.testing.endpoint
  python -m agent_runner.testing.endpoint --script run.yaml --port 8080
  python -m agent_runner.testing.endpoint --script run.yaml --fault-rate 0.3 --seed 1
  python -m agent_runner.testing.endpoint --faults faults.yaml --log requests.jsonl

The first line on stdout is the base URL. Ctrl-C or SIGTERM end it; the last line on stdout is then
what it served, as GET /stats says it meanwhile: requests, tokens billed, tokens a client was told.
docs/fake-endpoint.md has the keys of both files."""


@dataclass(frozen=True)
class Options:
    """The command line as it was given; the names are those of `main`."""

    script: Path | None
    host: str
    port: int
    faults: Path | None
    fault_rate: float | None
    seed: int | None
    latency: float
    log: Path | None
    ids: tuple[str, ...]
    context_length: int | None
    max_output_length: int | None
    prices: tuple[float, float] | None
    list_like: str
    api_key: str | None

    def behaviour(self) -> Behaviour:
        """What answers.

        Raises:
            UsageError: the script cannot be read, or is none.
        """
        if self.script is None:
            return Always("fake", ScriptedReply(content=CANNED))
        return Script.load(self.script)

    def plan(self) -> FaultPlan:
        """What fails.

        Raises:
            UsageError: the file cannot be read, or options contradict each other.
        """
        if self.faults is not None:
            if self.fault_rate is not None or self.seed is not None:
                raise UsageError("--faults FILE names rate and seed itself")
            return FaultPlan.load(self.faults)
        if self.seed is not None and self.fault_rate is None:
            raise UsageError("--seed needs --fault-rate")
        return FaultPlan(rate=self.fault_rate or 0.0, seed=self.seed or 0)

    def models(self, behaviour: Behaviour) -> list[ListedModel]:
        """What is listed."""
        own = behaviour.model if isinstance(behaviour, Script | Always) else "fake"
        prompt, completion = self.prices or (None, None)
        return [
            ListedModel(
                id=each,
                context_length=self.context_length,
                max_output_length=self.max_output_length,
                prompt_price=prompt,
                completion_price=completion,
            )
            for each in dict.fromkeys((own, *self.ids))
        ]

    def loopback(self) -> str:
        """The host, if only this machine reaches it.

        Raises:
            UsageError: others would reach it too.
        """
        try:
            ours = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            ours = False
        if not ours:
            raise UsageError(f"--host {self.host}: only loopback addresses, such as 127.0.0.1")
        return self.host


@click.command(
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--script", type=FILE, metavar="FILE", help="Replies, turn by turn. [one canned text]"
)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Loopback. [127.0.0.1]")
@click.option("--port", default=0, type=PORT, metavar="N", help="[any that is free]")
@click.option("--faults", type=FILE, metavar="FILE", help="Which request meets which fault.")
@click.option("--fault-rate", type=SHARE, metavar="P", help="How likely a fault is, from 0 to 1.")
@click.option("--seed", type=int, metavar="N", help="With --fault-rate: which faults. [0]")
@click.option("--latency", default=0.0, type=SECONDS, metavar="S", help="Seconds per reply. [0]")
@click.option("--log", type=FILE, metavar="FILE", help="Write a line of JSON for each request.")
@click.option("--model", "ids", multiple=True, metavar="ID", help="Answer to this id as well.")
@click.option("--context-length", type=SIZE, metavar="N", help="Tokens; a longer prompt is a 400.")
@click.option("--max-output-length", type=SIZE, metavar="N", help="Tokens that a reply may have.")
@click.option("--prices", type=(float, float), metavar="IN OUT", help="Dollars per million tokens.")
@click.option(
    "--list-like",
    type=click.Choice([each.value for each in ListShape]),
    default=ListShape.CHUTES.value,
    help="Whose shape GET /v1/models has. [chutes]",
)
@click.option("--api-key", metavar="TEXT", help="Refuse other keys with 401; a made-up one.")
@click.option("--list-faults", is_flag=True, help="Say which faults there are, and end.")
def main(*, list_faults: bool, **given: Any) -> None:
    """An OpenAI-compatible endpoint on this machine that plays a script and fails on demand.

    It is as strict as real ones: a history that does not hold together is refused with 400.
    """
    if list_faults:
        for fault in FAULTS.values():
            click.echo(f"{'*' if fault.drawn else ' '} {fault.name:<18} {fault.says}")
        click.echo(f"* the {len(DRAWN)} that --fault-rate draws from")
        return
    try:
        stats = asyncio.run(_serve(Options(**given)))
    except UsageError as error:
        click.echo(f"endpoint: {error}", err=True)
        sys.exit(2)
    click.echo(stats.model_dump_json())


async def _serve(options: Options) -> Stats:
    behaviour, plan = options.behaviour(), options.plan()
    answering = Late(behaviour, options.latency) if options.latency else behaviour
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with ExitStack() as stack:
        endpoint = FakeEndpoint(
            [answering],
            models=options.models(behaviour),
            api_key=options.api_key,
            plan=plan,
            shape=ListShape(options.list_like),
            host=options.loopback(),
            port=options.port,
            on_served=_logging(options.log, stack),
            keep_requests=False,
        )
        try:
            async with endpoint:
                click.echo(endpoint.base_url)
                click.echo(f"{endpoint.base_url[:-3]}/stats; Ctrl-C ends it", err=True)
                await ended.wait()
        except OSError as error:
            reason = f"{options.host} port {options.port}: {error.strerror}"
            raise UsageError(reason) from error
    # Requests that the end cut short are counted only now.
    return endpoint.stats()


def _logging(path: Path | None, stack: ExitStack) -> Callable[[Visit], None] | None:
    """Return what writes a line for each request.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        return None
    try:
        file: IO[str] = stack.enter_context(path.open("w", encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error

    def write(visit: Visit) -> None:
        print(to_json(visit).decode(), file=file, flush=True)

    return write
