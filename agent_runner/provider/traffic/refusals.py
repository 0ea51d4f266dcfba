"""What an endpoint said once and for all: a key, a quota or a model that will not do."""

import asyncio

from agent_runner.errors import ProviderFault, ProviderKind
from agent_runner.provider.failure import again


class Refusals:
    """The first final fault of each kind; an unknown model ends that model alone."""

    def __init__(self) -> None:
        self._of: dict[str | None, ProviderFault] = {}
        self._news = asyncio.Event()

    def find(self, model: str) -> ProviderFault | None:
        """Return a copy of the fault that ended the endpoint for `model`, None before."""
        found = self._of.get(None) or self._of.get(model)
        return again(found) if found is not None else None

    def check(self, model: str) -> None:
        """Raise the fault that ended the endpoint for `model`, if there is one."""
        if self._of and (found := self.find(model)) is not None:
            raise found

    def add(self, model: str, fault: ProviderFault) -> bool:
        """Remember `fault`, wake all that sleep, and say whether it is the first."""
        key = model if fault.kind is ProviderKind.MODEL else None
        if key in self._of:
            return False
        self._of[key] = again(fault)
        heard, self._news = self._news, asyncio.Event()
        heard.set()
        return True

    async def sleep(self, seconds: float, model: str) -> None:
        """Sleep, unless a refusal comes.

        Raises:
            ProviderFault: that refusal.
        """
        try:
            async with asyncio.timeout(seconds):
                while self.find(model) is None:
                    await self._news.wait()
        except TimeoutError:
            return
        self.check(model)
