"""The real model client against a fake endpoint on loopback, with waits of milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent_runner.provider.client import ModelClient
from agent_runner.provider.episode_client import EpisodeClient
from agent_runner.provider.profile import ModelProfile, ResolvedModel
from agent_runner.provider.retries import RetryPolicy
from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.endpoint import FakeEndpoint

QUICK = RetryPolicy(attempts=6, unusable_attempts=3, patience_s=5, base_wait_s=0.001)

Opened = AbstractAsyncContextManager[tuple[EpisodeClient, FakeEndpoint]]
Open = Callable[..., Opened]


@asynccontextmanager
async def _opened(
    *behaviours: Behaviour,
    retries: RetryPolicy = QUICK,
    key: str = "a-secret-key",
    timeout_s: float = 5.0,
    **profile: object,
) -> AsyncIterator[tuple[EpisodeClient, FakeEndpoint]]:
    async with asyncio.timeout(10), FakeEndpoint(behaviours, models=["fake"]) as endpoint:
        asked = ModelProfile.model_validate(
            {"name": "fake", "model": "fake", "base_url": endpoint.base_url, **profile}
            | {"timeout_s": timeout_s}
        )
        resolved = ResolvedModel(profile=asked, api_key=SecretStr(key))
        async with ModelClient(resolved, retries) as client:
            yield client.for_episode(), endpoint


@pytest.fixture
def opened() -> Open:
    """Open a client and the endpoint it talks to, which shows the given behaviours in order."""
    return _opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "provider.jsonl"
