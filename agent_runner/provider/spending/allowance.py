"""What one episode may still spend: asked before each request, settled after it."""

from dataclasses import replace

from agent_runner.provider.endpoint import ChatRequest
from agent_runner.provider.profile import ModelProfile, Prices
from agent_runner.provider.records import Usage
from agent_runner.provider.spending.bound import PromptBound, completion_limit
from agent_runner.provider.spending.budget import Budget
from agent_runner.provider.spending.spend import Need, Spend, spend_of

_LEAST_TOKENS = 1_024


class Allowance:
    """The budgets of one episode, its own first, and what is known of its prompt's length."""

    def __init__(self, profile: ModelProfile, own: Budget | None, shared: Budget | None) -> None:
        self._profile = profile
        self._own = own if own is not None and own.is_limited else None
        self._shared = shared if shared is not None and shared.is_limited else None
        self._prompt = PromptBound()

    def of(self, request: ChatRequest) -> "CallAllowance":
        """Return the allowance of one call, which may take several requests."""
        return CallAllowance(self._profile, self._own, self._shared, self._prompt, request)


class CallAllowance:
    """What the requests of one call may spend, and did.

    A request that got no answer may have been billed: all it could cost stays spent. Once another
    one of the same call is answered, the prompt's share of that is known exactly and corrected.

    Attributes:
        request: what is sent; its completion is shorter where the episode's budget has no room for
            a whole one. A batch's budget never shortens a reply: that would change a result.
        lowered_to: the tokens it was shortened to, None where it was not.
    """

    def __init__(
        self,
        profile: ModelProfile,
        own: Budget | None,
        shared: Budget | None,
        prompt: PromptBound,
        request: ChatRequest,
    ) -> None:
        self._prices: Prices | None = profile.prices
        self._budgets = [budget for budget in (own, shared) if budget is not None]
        self._prompt = prompt
        self._asked = request
        self._limit_key, self._limit = completion_limit(profile, request.extra)
        self._may_lower = own is not None
        self._held: list[tuple[Budget, Need]] = []
        self._lost: list[tuple[Budget, Need]] = []
        self.request = request
        self.lowered_to: int | None = None

    async def reserve(self) -> None:
        """Hold what the next request may cost, in every budget.

        Raises:
            BudgetReached: it does not fit into one of them.
        """
        self.request, self.lowered_to = self._asked, None
        if not self._budgets:
            return
        completion = self._limit
        least = min(completion, _LEAST_TOKENS) if self._may_lower else completion
        need = Need(self._prompt.of(self._asked), completion, least, self._prices)
        for budget in self._budgets:
            try:
                need = await budget.reserve(need)
            except BaseException:
                self.release()
                raise
            self._held.append((budget, need))
            need = replace(need, least_tokens=need.completion_tokens)
        if need.completion_tokens < self._limit:
            self.lowered_to = need.completion_tokens
            extra = {**self._asked.extra, self._limit_key: self.lowered_to}
            self.request = replace(self._asked, extra=extra)

    def release(self) -> None:
        """Nothing was sent, or nothing is billed."""
        for budget, need in self._take_held():
            budget.settle(need.whole, Spend())

    def lost(self) -> None:
        """It may be billed, and nobody said how much."""
        for budget, need in self._take_held():
            budget.settle(need.whole, need.whole)
            self._lost.append((budget, need))

    def counted(self, usage: Usage) -> None:
        """The endpoint answered and counted, or did not."""
        spent = spend_of(usage, self._prices)
        if spent is None or usage.prompt_tokens is None:
            self.lost()
            return
        for budget, need in self._take_held():
            budget.settle(need.whole, spent)
        for budget, need in self._lost:
            if usage.prompt_tokens < need.prompt_tokens:
                known = replace(need, prompt_tokens=usage.prompt_tokens)
                budget.give_back(need.whole - known.whole)
        self._lost.clear()
        self._prompt.counted(self._asked, usage.prompt_tokens)

    def _take_held(self) -> list[tuple[Budget, Need]]:
        taken, self._held = self._held, []
        return taken
