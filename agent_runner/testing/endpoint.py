"""The fake endpoint: OpenAI's API over real HTTP on loopback, as strict as real ones.

`python -m agent_runner.testing.endpoint --help` says how it is used as a program.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import to_json

from agent_runner.testing.behaviour import Behaviour
from agent_runner.testing.catalogue import FAULTS
from agent_runner.testing.chat import Chat, Received
from agent_runner.testing.counts import Counts, Stats, Visit
from agent_runner.testing.listing import ListedModel, ListShape
from agent_runner.testing.plan import FaultPlan
from agent_runner.testing.script import Script
from agent_runner.testing.strictness import complaint

_MAX_BODY_BYTES = 256 * 1024 * 1024
_VISIT = web.RequestKey("visit", Visit)


class FakeEndpoint:
    """Serves while its `async with` block runs.

    Request n gets behaviour n, requests after the last one get the last one; a request that is
    refused as invalid uses up none, and meets no fault of the plan. Models are those of the scripts
    among the behaviours, and `models`.

    Attributes:
        requests: what was received, refused requests included.
    """

    def __init__(
        self,
        behaviours: Sequence[Behaviour],
        *,
        models: Sequence[str | ListedModel] = (),
        api_key: str | None = None,
        plan: FaultPlan | None = None,
        shape: ListShape = ListShape.CHUTES,
        host: str = "127.0.0.1",
        port: int = 0,
        on_served: Callable[[Visit], None] | None = None,
        keep_requests: bool = True,
    ) -> None:
        if not behaviours:
            raise ValueError("an endpoint without a behaviour cannot answer")
        self._behaviours = tuple(behaviours)
        scripted = [each.model for each in behaviours if isinstance(each, Script)]
        given = [_listed(each) for each in (*scripted, *models)] or [_listed("fake")]
        self._models = {each.id: each for each in given}
        self._api_key = api_key
        self._plan = plan or FaultPlan()
        self._shape = shape
        self._address = (host, port)
        self._on_served = on_served
        self._keep = keep_requests
        self._served = 0
        self._asked: Counter[tuple[str, int]] = Counter()
        self._counts = Counts()
        self._runner: web.AppRunner | None = None
        self._port = port
        self.requests: list[Received] = []

    @property
    def base_url(self) -> str:
        """The URL for `--base-url`."""
        host = self._address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/v1"

    @property
    def models(self) -> tuple[str, ...]:
        """The ids it answers to."""
        return tuple(self._models)

    def stats(self) -> Stats:
        """Return what it has served so far."""
        return self._counts.stats()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_get("/stats", self._show_stats)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.on_response_prepare.append(_name)
        # A stalled request must end with its client, and must not hold up the end of a test.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, *self._address).start()
        except OSError:
            await runner.cleanup()
            raise
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

    async def _show_stats(self, request: web.Request) -> web.Response:
        return _json(200, self.stats().model_dump())

    async def _list_models(self, request: web.Request) -> web.Response:
        await self._note(request)
        listed = [each.entry(self._shape) for each in self._models.values()]
        return _json(200, {"object": "list", "data": listed})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        request[_VISIT] = Visit(self._counts.arrived())
        response: web.StreamResponse | None = None
        try:
            response = await self._answer(request, await self._note(request))
            return response
        finally:
            visit = self._counts.ended(request, response, request[_VISIT])
            if self._on_served is not None:
                self._on_served(visit)

    async def _answer(self, request: web.Request, received: Received) -> web.StreamResponse:
        if self._api_key is not None and not self._authorized(received):
            return _refused(401, "the API key is wrong or missing")
        if request.content_type != "application/json":
            return _refused(415, f"Content-Type is {request.content_type!r}, not application/json")
        try:
            chat = received.chat()
        except ValidationError as error:
            return _refused(400, str(error))
        model = self._models.get(chat.model)
        if model is None:
            return _json(404, {"detail": f"model not found: {chat.model}"})
        if text := complaint(chat, model):
            return _refused(400, text)
        return await self._meet(request, chat).respond(request, chat)

    def _meet(self, request: web.Request, chat: Chat) -> Behaviour:
        """Return what a valid request meets, and take down what that was."""
        behaviour = self._behaviours[min(self._served, len(self._behaviours) - 1)]
        self._served += 1
        place = (chat.conversation, chat.turn)
        asked = self._asked[place]
        self._asked[place] += 1
        fault = self._plan.fault(self._served, chat, asked)
        request[_VISIT] = replace(
            request[_VISIT], conversation=place[0], turn=place[1], asked=asked, fault=fault
        )
        return behaviour if fault is None else FAULTS[fault].make(behaviour, self._plan.timing)

    async def _note(self, request: web.Request) -> Received:
        received = Received(
            method=request.method,
            path=request.path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        if self._keep:
            self.requests.append(received)
        return received

    def _authorized(self, received: Received) -> bool:
        return received.headers.get("authorization") == f"Bearer {self._api_key}"


def _listed(model: str | ListedModel) -> ListedModel:
    return ListedModel(id=model) if isinstance(model, str) else model


async def _name(request: web.Request, response: web.StreamResponse) -> None:
    """Give each answer an id, as endpoints do."""
    visit = request.get(_VISIT)
    if visit is not None:
        response.headers.setdefault("X-Request-Id", f"request-{visit.number}")


def _refused(status: int, text: str) -> web.Response:
    return _json(status, {"error": {"message": text, "type": "invalid_request_error"}})


def _json(status: int, tree: object) -> web.Response:
    return web.Response(status=status, body=to_json(tree), content_type="application/json")


if __name__ == "__main__":
    from agent_runner.testing.serve import main

    main()
