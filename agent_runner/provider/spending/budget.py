"""Tokens and money that may be spent, reserved before they are."""

import asyncio
import math
from collections import deque
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum

from agent_runner.provider.spending.spend import Need, Spend


class Scope(StrEnum):
    """Whose budget it is."""

    EPISODE = "episode"
    BATCH = "batch"


class Measure(StrEnum):
    """What of it is used up; the words are those of `limits`."""

    TOKENS = "tokens"
    COST = "cost_usd"


class BudgetReached(Exception):
    """The next request might cost more than is left: a normal end, no fault of anybody.

    Attributes:
        scope: the budget of the episode, whose end it is, or of the batch, which pauses.
        measure: tokens or money.
    """

    def __init__(self, scope: Scope, measure: Measure, message: str) -> None:
        super().__init__(message)
        self.scope = scope
        self.measure = measure


class Budget:
    """What all who share it may spend together; a request begins only if the worst of it fits.

    Where it does not fit beside what others hold, the caller waits for them, first come first
    served: most spend far less than they hold. Where nobody holds anything, it is reached.

    Attributes:
        spent: what is gone, and what may be gone with replies that were lost on the way; a resumed
            batch begins with what was spent before.
        held: what requests under way may cost at most.
    """

    def __init__(
        self,
        scope: Scope,
        tokens: int | None,
        cost_usd: float | None,
        spent: Spend | None = None,
    ) -> None:
        self.scope = scope
        self._tokens = math.inf if tokens is None else tokens
        self._cost_usd = math.inf if cost_usd is None else cost_usd
        self._holders = 0
        self._line: deque[tuple[Need, asyncio.Future[Need]]] = deque()
        self.spent = spent or Spend()
        self.held = Spend()

    @property
    def is_limited(self) -> bool:
        """Whether anything is limited at all."""
        return self._tokens < math.inf or self._cost_usd < math.inf

    async def reserve(self, need: Need) -> Need:
        """Hold what a request may cost and return that, with a shorter completion if need be.

        Raises:
            BudgetReached: not even `least_tokens` fit, and nobody else holds anything.
        """
        if not self._line and (granted := self._fitting(need)) is not None:
            return self._hold(granted)
        waits: asyncio.Future[Need] = asyncio.get_running_loop().create_future()
        self._line.append((need, waits))
        self._pump()
        try:
            return await waits
        except asyncio.CancelledError:
            if waits.cancelled():
                with suppress(ValueError):
                    self._line.remove((need, waits))
                self._pump()
            elif waits.exception() is None:
                self.settle(waits.result().whole, Spend())
            raise

    def settle(self, held: Spend, spent: Spend) -> None:
        """Turn what was held into what was spent."""
        self._holders -= 1
        # Sums of floats do not return to zero by themselves.
        self.held = self.held - held if self._holders else Spend()
        self.spent += spent
        self._pump()

    def give_back(self, spent: Spend) -> None:
        """Take back what turned out not to be spent."""
        self.spent -= spent
        self._pump()

    def _hold(self, granted: Need) -> Need:
        self._holders += 1
        self.held += granted.whole
        return granted

    def _fitting(self, need: Need) -> Need | None:
        """Return what fits now; less than all of it only where nobody else holds anything."""
        left_tokens = self._tokens - self.spent.tokens - self.held.tokens
        left_usd = self._cost_usd - self.spent.cost_usd - self.held.cost_usd
        whole, bare = need.whole, need.spend(0)
        if whole.tokens <= left_tokens and whole.cost_usd <= left_usd:
            return need
        if self._holders or bare.cost_usd > left_usd:
            return None
        fits = left_tokens - bare.tokens
        if whole.cost_usd > bare.cost_usd:
            share = (left_usd - bare.cost_usd) / (whole.cost_usd - bare.cost_usd)
            fits = min(fits, share * need.completion_tokens)
        if fits < need.least_tokens:
            return None
        return replace(need, completion_tokens=min(math.floor(fits), need.completion_tokens))

    def _pump(self) -> None:
        """Serve the line: whom it fits, and whom it can fit no more."""
        while self._line:
            need, waits = self._line[0]
            if waits.done():
                self._line.popleft()
                continue
            granted = self._fitting(need)
            if granted is None and self._holders:
                return
            self._line.popleft()
            if granted is None:
                waits.set_exception(self._reached(need))
            else:
                waits.set_result(self._hold(granted))

    def _reached(self, need: Need) -> BudgetReached:
        least = self.spent + need.spend(need.least_tokens)
        if least.tokens > self._tokens:
            limit, used, more = self._tokens, self.spent.tokens, least.tokens - self.spent.tokens
            text = f"{used} of {limit} tokens are spent, and the next request may take {more}"
            return BudgetReached(self.scope, Measure.TOKENS, text)
        more_usd = least.cost_usd - self.spent.cost_usd
        text = (
            f"${self.spent.cost_usd:.4f} of ${self._cost_usd:.4f} is spent, and the next request"
            f" may cost ${more_usd:.4f}"
        )
        return BudgetReached(self.scope, Measure.COST, text)
