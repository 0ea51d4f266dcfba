"""`doctor --provider` against endpoints of many kinds, as a command line over real HTTP."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent_runner import cli
from agent_runner.errors import UsageError
from agent_runner.provider.capability import complete, path_of
from agent_runner.provider.profile import ModelProfile
from agent_runner.testing.behaviour import Canned
from agent_runner.testing.chat import Chat
from agent_runner.testing.listing import ListShape
from tests.contract.provider.able import MODEL, Able, serving


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        return {check["name"]: check for check in json.loads(self.out)["checks"]}

    @property
    def capability(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)["capability"]
        return found


Doctor = Callable[..., Ended]


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    monkeypatch.setenv("AGENT_RUNNER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AGENT_RUNNER_API_KEY", raising=False)
    monkeypatch.setattr("agent_runner.provider.probe.asking.LONGEST_WAIT_S", 0.001)

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["agent_runner", "doctor", "--provider", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, said.out, said.err)

    return call


def profile_at(url: str) -> ModelProfile:
    return ModelProfile(name=MODEL, model=MODEL, base_url=url)


def test_an_able_endpoint_is_described_and_runs_use_what_was_found(
    doctor: Doctor, tmp_path: Path
) -> None:
    with serving(Able(thinks_in="reasoning")) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url)
    assert ended.code == 0, ended.out
    assert "FAIL" not in ended.out
    for said in (
        f"{MODEL} is listed, context 100000, replies up to 6000, "
        "$0.5 + $2 per million tokens, $0.1 cached",
        "note was called as asked",
        "taken: max_tokens, seed, parallel_tool_calls, temperature",
        "reasoning comes in reasoning; a history with it taken, without it taken",
        "finish_reason 'length' at 16 tokens",
        "an argument of 20 kB came back exactly",
        "prompt_tokens always, completion_tokens always, cached_tokens never",
        "in all 500+50 tokens, $0.0003",
        "context_tokens 100000  (found out)",
        "max_tokens     6000  (found out)",
    ):
        assert said in ended.out
    completed = complete(tmp_path / "home", profile_at(endpoint.base_url))
    assert set(completed.learned) == {"context_tokens", "prices", "reasoning", "max_tokens"}
    assert completed.profile.reasoning.field == "reasoning"
    elsewhere = profile_at("http://127.0.0.1:1/v1")
    assert complete(tmp_path / "home", elsewhere).learned == ()


def test_models_yaml_wins_over_what_was_found(doctor: Doctor, tmp_path: Path) -> None:
    with serving(Able()) as endpoint:
        doctor("--model", MODEL, "--base-url", endpoint.base_url)
    said = profile_at(endpoint.base_url).model_dump(exclude_unset=True)
    given = ModelProfile.model_validate({**said, "context_tokens": 50_000, "max_tokens": 9_000})
    completed = complete(tmp_path / "home", given)
    assert (completed.profile.context_tokens, completed.profile.max_tokens) == (50_000, 9_000)
    assert completed.learned == ("prices",)


@pytest.mark.parametrize("says_which", [True, False], ids=["named", "unnamed"])
def test_refused_parameters_are_left_out(doctor: Doctor, says_which: bool) -> None:
    able = Able(refuses=("temperature", "seed"), says_which=says_which)
    with serving(able) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url, "--json")
    assert ended.code == 0, ended.out
    wanted = {"seed", "temperature"} | (set() if says_which else {"parallel_tool_calls"})
    assert set(ended.capability["omit"]) == wanted
    assert not {"temperature", "seed"} & able.requests[-1].keys()
    assert "temperature" in ended.checks["parameters"]["says"]


def test_the_other_name_of_max_tokens_is_found(doctor: Doctor) -> None:
    able = Able(refuses=("max_tokens",))
    with serving(able) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url, "--json")
    assert ended.code == 0, ended.out
    assert ended.capability["max_tokens_as"] == "max_completion_tokens"
    assert json.loads(ended.out)["profile"]["max_tokens_as"] == "max_completion_tokens"


@pytest.mark.parametrize("came_in", ["reasoning_content", "reasoning", "think"])
@pytest.mark.parametrize(
    ("wants", "send_back"), [("must", "with_calls"), ("may", "with_calls"), ("must not", "never")]
)
def test_what_becomes_of_reasoning(
    doctor: Doctor, came_in: str, wants: str, send_back: str
) -> None:
    with serving(Able(thinks_in=came_in, wants=wants)) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url, "--json")
    assert ended.code == 0, ended.out
    assert ended.capability["reasoning"] == {"field": came_in, "send_back": send_back}


@pytest.mark.parametrize(
    ("able", "check", "says"),
    [
        (Able(call=False), "tool call", "no call, but text (finish_reason 'stop'): 'done'"),
        (Able(spoil=lambda text: text[:8_000]), "long call", "8000 of 20000 characters came back"),
        (Able(spoil=lambda text: text.replace("0300", "300")), "long call", "differs at character"),
    ],
)
def test_what_a_run_needs_and_does_not_get_is_exit_1(
    doctor: Doctor, able: Able, check: str, says: str
) -> None:
    with serving(able) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url)
    assert ended.code == 1
    (line,) = [line for line in ended.out.splitlines() if line.startswith(f"FAIL  {check}")]
    assert says in line


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}])
def test_replies_without_counts_are_a_note(doctor: Doctor, usage: dict[str, Any] | None) -> None:
    with serving(Able(usage=usage)) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url)
    assert ended.code == 0
    assert "note  usage" in ended.out
    assert "prompt_tokens never" in ended.out


def test_a_model_that_is_not_listed_comes_with_the_nearest(doctor: Doctor) -> None:
    with serving(Able()) as endpoint:
        ended = doctor("--model", "some/modle", "--base-url", endpoint.base_url)
    assert ended.code == 1
    assert f"FAIL  models      some/modle is not listed; nearest: {MODEL}" in ended.out
    assert "FAIL  tool call   404 Not Found: model not found: some/modle" in ended.out
    assert "FAIL  the rest    not asked" in ended.out
    assert "written" not in ended.out


@pytest.mark.parametrize("shape", list(ListShape))
def test_prices_are_per_million_whoever_writes_them(doctor: Doctor, shape: ListShape) -> None:
    with serving(Able(), shape=shape) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url, "--json")
    assert ended.capability["prices"] == {"prompt": 0.5, "completion": 2.0, "cached": 0.1}
    assert ended.capability["max_output_tokens"] == 6_000


def test_a_wrong_key_ends_it_and_is_not_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_RUNNER_API_KEY", "key-of-somebody-else")
    with serving(Able(), api_key="right") as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url)
    assert ended.code == 1
    assert "FAIL  tool call   401 Unauthorized" in ended.out
    assert "key-of-somebody-else" not in ended.out + ended.err


def test_a_passing_fault_is_asked_again(doctor: Doctor) -> None:
    flaky = Flaky(Able(), Canned({"detail": "busy"}, 503))
    with serving(flaky) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url)
    assert ended.code == 0, ended.out


def test_nobody_there(doctor: Doctor) -> None:
    ended = doctor("--model", MODEL, "--base-url", "http://127.0.0.1:9/v1")
    assert ended.code == 1
    assert "FAIL  models      no answer from http://127.0.0.1:9/v1" in ended.out
    assert ended.out.count("FAIL") == 3


def test_time_runs_out_and_says_where(doctor: Doctor) -> None:
    with serving(Canned(status=401, delay_s=3)) as endpoint:
        ended = doctor("--model", MODEL, "--base-url", endpoint.base_url, "--limit", "0.3")
    assert ended.code == 1
    assert "FAIL  time        not finished in 0.3 s, at: tool call; --limit SECONDS" in ended.out


def test_a_missing_key_is_one_line(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHUTES_API_KEY", raising=False)
    ended = doctor()
    assert (ended.code, ended.out) == (2, "")
    wanted = "agent_runner: CHUTES_API_KEY is not set: no key for https://llm.chutes.ai/v1\n"
    assert ended.err == wanted


def test_a_damaged_capability_is_one_line(tmp_path: Path) -> None:
    profile = profile_at("http://127.0.0.1:1/v1")
    path = path_of(tmp_path, profile)
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="run `doctor --provider` again, or delete it"):
        complete(tmp_path, profile)


@dataclass
class Flaky:
    """Every other request meets a fault."""

    able: Able
    fault: Canned
    count: int = 0

    async def respond(self, request: web.Request, chat: Chat) -> web.StreamResponse:
        self.count += 1
        return await (self.fault if self.count % 2 else self.able).respond(request, chat)
