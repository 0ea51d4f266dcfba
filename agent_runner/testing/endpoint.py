"""The fake endpoint: OpenAI's API over real HTTP on loopback, as strict as real ones."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import to_json

from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.chat import Received
from agent_runner.testing.script import Script
from agent_runner.testing.strictness import complaint

_MAX_BODY_BYTES = 256 * 1024 * 1024


class FakeEndpoint:
    """Serves while its `async with` block runs.

    Request n gets behaviour n, requests after the last one get the last one; a request that is
    refused as invalid uses up none. Models are those of the scripts among the behaviours, or
    `models`.

    Attributes:
        requests: what was received, refused requests included.
    """

    def __init__(
        self,
        behaviours: Sequence[Behaviour],
        *,
        models: Sequence[str] = (),
        api_key: str | None = None,
    ) -> None:
        if not behaviours:
            raise ValueError("an endpoint without a behaviour cannot answer")
        self._behaviours = tuple(behaviours)
        scripted = [each.model for each in behaviours if isinstance(each, Script)]
        self._models = tuple(dict.fromkeys([*models, *scripted])) or ("fake",)
        self._api_key = api_key
        self._served = 0
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.requests: list[Received] = []

    @property
    def base_url(self) -> str:
        """The URL for `--base-url`."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def models(self) -> tuple[str, ...]:
        """The ids it answers to."""
        return self._models

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._complete)
        # A stalled request must end with its client, and must not hold up the end of a test.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._port = runner.addresses[0][1]
        self._runner = runner
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _list_models(self, request: web.Request) -> web.Response:
        await self._note(request)
        listed = [{"id": each, "object": "model", "owned_by": "script"} for each in self._models]
        return _json(200, {"object": "list", "data": listed})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        received = await self._note(request)
        if self._api_key is not None and not self._authorized(received):
            return _refused(401, "the API key is wrong or missing")
        try:
            chat = received.chat()
        except ValidationError as error:
            return _refused(400, str(error))
        if chat.model not in self._models:
            return _json(404, {"detail": f"model not found: {chat.model}"})
        if text := complaint(chat):
            return _refused(400, text)
        place = min(self._served, len(self._behaviours) - 1)
        self._served += 1
        return await self._behaviours[place].respond(request, chat)

    async def _note(self, request: web.Request) -> Received:
        received = Received(
            method=request.method,
            path=request.path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        self.requests.append(received)
        return received

    def _authorized(self, received: Received) -> bool:
        return received.headers.get("authorization") == f"Bearer {self._api_key}"


def _refused(status: int, text: str) -> web.Response:
    return _json(status, {"error": {"message": text, "type": "invalid_request_error"}})


def _json(status: int, tree: object) -> web.Response:
    return web.Response(status=status, body=to_json(tree), content_type="application/json")
