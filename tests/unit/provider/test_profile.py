from pathlib import Path

import pytest
from pydantic import SecretStr

from agent_runner.errors import UsageError
from agent_runner.provider.catalog import ModelCatalog
from agent_runner.provider.origin import is_loopback
from agent_runner.provider.profile import ModelProfile, Prices
from agent_runner.provider.records import Usage

SHIPPED = Path(__file__).parents[3] / "configs" / "models.yaml"
KEYS = {"CHUTES_API_KEY": "chutes-key", "OPENAI_API_KEY": "openai-key"}
OTHER = {"AGENT_RUNNER_API_KEY": "other-key", **KEYS}


@pytest.fixture(scope="module")
def catalog() -> ModelCatalog:
    return ModelCatalog.load(SHIPPED)


def write(folder: Path, text: str) -> Path:
    path = folder / "models.yaml"
    path.write_text(text, encoding="utf-8")
    return path


KEY_OF = {
    "https://llm.chutes.ai/v1": "CHUTES_API_KEY",
    "https://api.openai.com/v1": "OPENAI_API_KEY",
    "https://openrouter.ai/api/v1": "OPENROUTER_API_KEY",
}


def test_every_shipped_profile_has_the_key_of_its_origin_or_is_on_loopback(
    catalog: ModelCatalog,
) -> None:
    environ = {name: f"key of {url}" for url, name in KEY_OF.items()}
    for profile in catalog.models.values():
        key = catalog.resolve(profile.name, None, environ).api_key.get_secret_value()
        if is_loopback(profile.base_url):
            assert (profile.key_env, key) == (None, "none")
        else:
            assert (profile.key_env, key) == (
                KEY_OF[profile.base_url], f"key of {profile.base_url}",
            )  # fmt: skip


def test_whatever_the_url_only_its_own_key_goes_there(catalog: ModelCatalog) -> None:
    environ = {name: f"key of {url}" for url, name in KEY_OF.items()}
    for model in [*catalog.models, "any/model"]:
        for url in KEY_OF:
            key = catalog.resolve(model, url, environ).api_key.get_secret_value()
            assert key == f"key of {url}"
        with pytest.raises(UsageError, match=r"^AGENT_RUNNER_API_KEY is not set"):
            catalog.resolve(model, "https://example.org/v1", environ)
        assert catalog.resolve(model, "http://127.0.0.1:1/v1", environ).api_key == SecretStr("none")


def test_the_default_model_is_kimi_with_its_prices(catalog: ModelCatalog) -> None:
    profile = catalog.pick(None)
    assert profile.model == "moonshotai/Kimi-K2.6-TEE"
    assert profile.prices is not None
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000)
    assert profile.prices.cost_usd(usage) == pytest.approx(3.35)


def test_a_profile_is_found_by_the_id_of_its_model(catalog: ModelCatalog) -> None:
    assert catalog.pick("zai-org/GLM-5.2-TEE").name == "glm"


def test_unknown_model_names_the_nearest(catalog: ModelCatalog) -> None:
    with pytest.raises(
        UsageError, match=r"^unknown model 'kimmi'; did you mean kimi or kimi-k3\?$"
    ):
        catalog.pick("kimmi")


def test_missing_key_names_its_variable(catalog: ModelCatalog) -> None:
    with pytest.raises(UsageError, match="CHUTES_API_KEY is not set"):
        catalog.resolve("kimi", None, {"OPENAI_API_KEY": "x", "AGENT_RUNNER_API_KEY": "y"})


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/v1",
        "http://llm.chutes.ai/v1",
        "https://llm.chutes.ai:8443/v1",
        "https://llm.chutes.ai.example.org/v1",
        "http://127.0.0.1:8000/v1",
    ],
)
def test_another_origin_gets_the_other_key(catalog: ModelCatalog, url: str) -> None:
    for model in ("kimi", "some/model"):
        resolved = catalog.resolve(model, url, OTHER)
        assert resolved.api_key.get_secret_value() == "other-key"


@pytest.mark.parametrize("url", ["https://llm.chutes.ai/v1/", "https://LLM.chutes.ai:443/other"])
def test_the_same_origin_keeps_its_key(catalog: ModelCatalog, url: str) -> None:
    resolved = catalog.resolve("some/model", url, OTHER)
    assert resolved.api_key.get_secret_value() == "chutes-key"
    assert resolved.profile.model == "some/model"


def test_a_profile_at_another_url_keeps_everything_but_the_endpoint(catalog: ModelCatalog) -> None:
    moved = catalog.pick("kimi", "http://127.0.0.1:1/v1/")
    assert (moved.model, moved.base_url) == ("moonshotai/Kimi-K2.6-TEE", "http://127.0.0.1:1/v1")
    assert moved.key_env is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]/v1"])
def test_loopback_needs_no_key(catalog: ModelCatalog, url: str) -> None:
    assert catalog.resolve("any", url, KEYS).api_key.get_secret_value() == "none"


def test_another_host_without_a_key_is_refused(catalog: ModelCatalog) -> None:
    with pytest.raises(UsageError, match="AGENT_RUNNER_API_KEY is not set"):
        catalog.resolve("any", "https://example.org/v1", KEYS)


def test_a_name_that_only_looks_like_loopback_is_none() -> None:
    assert not is_loopback("http://127.0.0.1.example.org/v1")
    assert not is_loopback("http://localhost.example.org/v1")


@pytest.mark.parametrize(
    "url", ["llm.chutes.ai/v1", "ftp://x/v1", "https://", "https://a:b@x/v1", "http://x:port/"]
)
def test_a_base_url_that_is_none_is_refused(catalog: ModelCatalog, url: str) -> None:
    with pytest.raises(UsageError, match="--base-url"):
        catalog.pick("kimi", url)


def test_a_key_that_no_header_can_carry_is_refused(catalog: ModelCatalog) -> None:
    with pytest.raises(UsageError, match="CHUTES_API_KEY holds characters") as caught:
        catalog.resolve("kimi", None, {"CHUTES_API_KEY": "ключ"})
    assert "ключ" not in str(caught.value)


def test_the_key_is_in_no_repr_and_in_no_dump(catalog: ModelCatalog) -> None:
    resolved = catalog.resolve("kimi", None, KEYS)
    shown = f"{resolved!r} {resolved} {resolved.model_dump()} {resolved.model_dump_json()}"
    assert "chutes-key" not in shown
    assert "api_key" not in resolved.model_dump()


PROFILE = "default: a\nmodels: {a: {model: m, base_url: 'http://x'"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("default: a\nmodels: {a: [", "line 2: not valid YAML"),
        ("default: a\nmodels: {}", "models"),
        ("default: b\nmodels: {a: {model: m, base_url: 'http://x/v1'}}", 'unknown model "b"'),
        ("default: a\nmodels: {a: {model: m}}", "models.a.base_url: Field required"),
        ("default: a\nmodels: {a: {model: m, base_url: x}}", "models.a.base_url"),
        (
            "default: a\nmodels: {a: {model: m, base_url: 'http://x', max_token: 1}}",
            "unknown key 'models.a.max_token'; did you mean models.*.max_tokens",
        ),
        (
            "default: a\nmodels: {a: {model: m, base_url: 'http://x', extra_body: {stream: yes}}}",
            "may not set stream",
        ),
        ("", "is empty"),
        ("# only a comment", "is empty"),
        ("default: a\nmodel: {a: {model: m}}", "unknown key 'model'; did you mean models"),
        (PROFILE + ", key_env: sk-secret}}", "models.a.key_env: names a variable, such as CHUTES"),
        ("- a", "the whole file: should be a map of keys"),
        ("default: a\nmodels: []", "models: should be a map of keys"),
        ("default: a\nmodels: {a: text}", "models.a: should be a map of keys"),
        ("models: {a: {model: m, base_url: 'http://x'}}", "default: Field required"),
        (
            "default: a\nmodels:\n  a: {}\n  a: {}",
            "line 4: not valid YAML: the key 'a' stands twice",
        ),
        ("default: a\nmodels: {a: {model: m, base_url: api.x.org/v1}}", '"api.x.org/v1" is no URL'),
        (
            PROFILE + ", context_tokens: many}}",
            "models.a.context_tokens: Input should be a valid int",
        ),
        (
            PROFILE + ", context_tokens: 4096, max_tokens: 4096}}",
            "models.a: max_tokens 4096 leaves",
        ),
        (PROFILE + ", key: sk-1}}", "unknown key 'models.a.key'; did you mean models.*.key_env"),
        (
            PROFILE + ", reasoning: {field: cot}}}",
            "models.a.reasoning.field: Input should be 'auto'",
        ),
        (PROFILE + ", reasoning: {sendback: never}}}", "did you mean models.*.reasoning.send_back"),
        (PROFILE + ", omit: [top_p]}}", "models.a.omit.0: Input should be 'temperature'"),
        (PROFILE + ", max_tokens_as: n}}", "models.a.max_tokens_as: Input should be 'max_tokens'"),
        (PROFILE + ", prices: {prompt: 1}}}", "models.a.prices.completion: Field required"),
        (PROFILE + ", seed: x}}", "models.a.seed: Input should be a valid integer"),
    ],
)
def test_a_malformed_file_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        ModelCatalog.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "sk-secret" not in message
    assert reason in message
    assert "\n" not in message


def test_a_reply_is_at_most_a_quarter_of_a_small_context_unless_it_is_said() -> None:
    small = {"name": "a", "model": "m", "base_url": "http://x", "context_tokens": 4_096}
    assert ModelProfile.model_validate(small).max_tokens == 1_024
    assert ModelProfile.model_validate(small | {"max_tokens": 3_000}).max_tokens == 3_000
    assert ModelProfile.model_validate(small | {"context_tokens": 40_000}).max_tokens == 8_192


def test_a_profile_may_borrow_from_another(tmp_path: Path) -> None:
    text = """
    default: b
    models:
      a: &a {model: m, base_url: 'http://x', seed: 1}
      b: {<<: *a, seed: 2}
    """
    catalog = ModelCatalog.load(write(tmp_path, text))
    assert (catalog.pick("b").seed, catalog.pick("b").model) == (2, "m")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read"):
        ModelCatalog.load(tmp_path / "none.yaml")


def test_cached_tokens_cost_their_own_price() -> None:
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=900_000, completion_tokens=0)
    assert Prices(prompt=1, completion=2, cached=0.1).cost_usd(usage) == pytest.approx(0.19)
    assert Prices(prompt=1, completion=2).cost_usd(usage) == pytest.approx(1.0)


def test_uncounted_tokens_have_no_known_cost() -> None:
    assert Prices(prompt=1, completion=2).cost_usd(Usage(prompt_tokens=5)) is None


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    text = "default: one\nmodels: {one: {model: m, base_url: 'http://localhost/v1'}}\n"
    path = write(tmp_path, text)
    first = ModelCatalog.load(path)
    assert ModelCatalog.load(path) is first
    write(tmp_path, text.replace("model: m,", "model: another,"))
    assert ModelCatalog.load(path).models["one"].model == "another"
