"""The questions in their order, what came of each, and what it all says of the endpoint."""

import asyncio
import difflib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.capability import Capability, origin_text
from agent_runner.provider.endpoint import Endpoint
from agent_runner.provider.faults import ContextOverflow, error_text
from agent_runner.provider.probe import checks
from agent_runner.provider.probe.asking import Asker, Told
from agent_runner.provider.probe.finding import Finding, spent
from agent_runner.provider.probe.listing import Listed, read_list
from agent_runner.provider.probe.parameters import OPTIONAL, ask_with_all
from agent_runner.provider.probe.words import instead_words, listed_words
from agent_runner.provider.profile import Prices, ReasoningPolicy, ResolvedModel
from agent_runner.provider.recording.recorder import stamp

Waiting = Callable[[str], AbstractContextManager[None]]
_FATAL = frozenset({ProviderKind.AUTH, ProviderKind.QUOTA, ProviderKind.MODEL})
_NO_SUCCESS = 300
_SEED = 1
_LONG_CALL_TOKENS = 24_000


class _Stop(Exception):
    """Nothing more can be found out."""


@dataclass
class Probe:
    """One look at an endpoint.

    Attributes:
        waiting: shows what is being asked while it is.
        findings: what came of it so far.
    """

    resolved: ResolvedModel
    waiting: Waiting
    findings: list[Finding] = field(default_factory=list)
    listed: Listed | None = None
    reasoning: ReasoningPolicy | None = None

    def __post_init__(self) -> None:
        given = self.resolved.profile
        # Everything a run may send, so that what is refused shows.
        asked = given.model_copy(
            update={
                "temperature": 0.0 if given.temperature is None else given.temperature,
                "seed": _SEED if given.seed is None else given.seed,
            }
        )
        self._at = ""
        self._asker = Asker(self.resolved.model_copy(update={"profile": asked}))

    async def run(self, limit_s: float) -> None:
        """Ask everything, at most so long; what is not asked in time is a finding too.

        Raises:
            CancelledError: it was interrupted.
        """
        try:
            async with asyncio.timeout(limit_s):
                await self._all()
        except TimeoutError:
            says = f"not finished in {limit_s:g} s, at: {self._at}; --limit SECONDS gives it more"
            self.findings.append(Finding("time", False, says))
        except _Stop:
            says = "not asked: the questions before could not be"
            self.findings.append(Finding("the rest", False, says))

    @property
    def prices(self) -> Prices | None:
        """Those of models.yaml, else those of the list."""
        return self.resolved.profile.prices or (self.listed.prices if self.listed else None)

    def capability(self) -> Capability:
        """What is now known."""
        profile, asked, listed = self.resolved.profile, self._asker.profile, self.listed
        renamed = asked.max_tokens_as != profile.max_tokens_as
        return Capability(
            origin=origin_text(profile.base_url),
            model=profile.model,
            probed=stamp(time.time()),
            context_tokens=listed.context_tokens if listed else None,
            max_output_tokens=listed.max_output_tokens if listed else None,
            prices=listed.prices if listed else None,
            max_tokens_as=asked.max_tokens_as if renamed else None,
            omit=asked.omit,
            reasoning=self.reasoning,
        )

    async def _all(self) -> None:
        async with self._finding("models") as finding:
            await self._models(finding)
        first = await self._tool_call()
        if checks.has_whole_calls(first):
            await self._history(first)
        async with self._finding("cut reply", needed=False) as finding:
            told = await self._asker.ask(checks.cut())
            ok = told.finish_reason == "length"
            says = f"finish_reason {told.finish_reason!r} at 16 tokens"
            finding.set(ok, says if ok else f"{says}: a cut reply is not told from a whole one")
        async with self._finding("long call") as finding:
            await self._long_call(finding)
        if self._asker.counted:
            ok, says = checks.counted(self._asker.counted)
            more = "" if ok else "; without counts tokens and cost of a run are unknown"
            self.findings.append(Finding("usage", ok, says + more, needed=False))

    async def _models(self, finding: "_Open") -> None:
        profile = self.resolved.profile
        endpoint = Endpoint(self.resolved)
        try:
            answer = await endpoint.list_models()
        finally:
            await endpoint.close()
        if answer.status >= _NO_SUCCESS:
            finding.note(f"no list of models: {answer.status} {error_text(answer.body)}"[:200])
            return
        try:
            models = read_list(answer.body)
        except ValueError:
            finding.note(f"no list of models: {error_text(answer.body)[:120]!r}")
            return
        self.listed = models.get(profile.model)
        if self.listed is None:
            near = difflib.get_close_matches(profile.model, models, n=3, cutoff=0.3)
            hint = f"; nearest: {', '.join(near)}" if near else f"; {len(models)} others are"
            finding.set(False, f"{profile.model} is not listed{hint}")
            return
        finding.set(True, listed_words(self.listed))

    async def _tool_call(self) -> Told:
        told: Told | None = None
        async with self._finding("tool call") as finding:
            told = await ask_with_all(self._asker, checks.short_call())
            ok = checks.noted(told) == checks.WORD
            repaired = ", ".join(told.reply.repairs) if told.reply else ""
            says = f"{checks.TOOL} was called as asked" if ok else instead_words(told)
            finding.set(ok, f"{says}; repaired: {repaired}" if repaired else says)
        if told is None:
            raise _Stop
        if finding.ok and self.listed is None:
            # It answers to a name it does not list, as a server with one model may.
            self.findings[0] = replace(self.findings[0], needed=False)
        self.findings.append(Finding("parameters", True, self._parameter_words()))
        return told

    def _parameter_words(self) -> str:
        asked, given = self._asker.profile, self.resolved.profile
        refused: list[str] = [name for name in asked.omit if name not in given.omit]
        taken = [name for name in OPTIONAL if name not in asked.omit]
        if asked.max_tokens_as != given.max_tokens_as:
            refused.append(given.max_tokens_as)
        says = f"taken: {', '.join([asked.max_tokens_as, *taken])}"
        return f"{says}; refused: {', '.join(refused)}" if refused else says

    async def _history(self, first: Told) -> None:
        """Whether the call and its result are taken back, with their reasoning and without."""
        came = checks.reasoning_of(first)
        async with self._finding("history") as finding:
            without = await self._taken(first, with_reasoning=False)
            if came is None:
                finding.set(without, "taken" if without else "the call's own history is refused")
                return
            with_it = await self._taken(first, with_reasoning=True)
            field, _ = came
            self.reasoning = ReasoningPolicy.model_validate(
                {"field": field, "send_back": "with_calls" if with_it else "never"}
            )
            taken = [
                f"{'with' if kind else 'without'} it {'taken' if ok else 'refused'}"
                for kind, ok in ((True, with_it), (False, without))
            ]
            says = f"reasoning comes in {field}; a history {', '.join(taken)}"
            finding.set(with_it or without, says)

    async def _taken(self, first: Told, *, with_reasoning: bool) -> bool:
        try:
            await self._asker.ask(checks.goes_on(first, with_reasoning=with_reasoning))
        except ProviderFault as fault:
            if fault.retryable or fault.kind in _FATAL:
                raise
            return False
        return True

    async def _long_call(self, finding: "_Open") -> None:
        profile, listed = self.resolved.profile, self.listed
        context = listed.context_tokens if listed else None
        if (context or profile.context_tokens) < _LONG_CALL_TOKENS:
            finding.note(f"not asked: 20 kB there and back do not fit into {context} tokens")
            return
        question = checks.long_call()
        most = listed.max_output_tokens if listed else None
        if most is not None and most < question.max_tokens:
            question = replace(question, max_tokens=most)
        told = await self._asker.ask(question)
        got = checks.noted(told)
        if got is None:
            finding.set(False, instead_words(told))
        elif got == checks.long_text():
            finding.set(True, f"an argument of {len(got) // 1000} kB came back exactly")
        else:
            finding.set(False, checks.compared(got))

    @asynccontextmanager
    async def _finding(self, name: str, *, needed: bool = True) -> AsyncIterator["_Open"]:
        """Ask within; what it said, took and cost becomes one finding, a fault too."""
        began_s, finding, self._at = time.monotonic(), _Open(needed), name
        try:
            with self.waiting(name):
                yield finding
        except (ProviderFault, ContextOverflow) as fault:
            finding.set(False, fault.message)
            if isinstance(fault, ProviderFault) and fault.kind in _FATAL:
                raise _Stop from fault
        finally:
            tokens, cost_usd = spent(self._asker.take_usages(), self.prices)
            duration_s = round(time.monotonic() - began_s, 3)
            if finding.says:
                self.findings.append(
                    Finding(
                        name, finding.ok, finding.says, finding.needed, duration_s, tokens, cost_usd
                    )
                )


@dataclass
class _Open:
    """A finding in the making."""

    needed: bool
    ok: bool = False
    says: str = ""

    def set(self, ok: bool, says: str) -> None:
        self.ok, self.says = ok, says

    def note(self, says: str) -> None:
        """Not as it should be, but no run is the worse for it."""
        self.ok, self.says, self.needed = False, says, False
