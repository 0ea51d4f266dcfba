"""Precedence, merging, and what is said of a wrong key or value."""

from pathlib import Path

import pytest
import yaml

from agent_runner.commands.options import Options, configure
from agent_runner.config import Layer, RunConfig, dump, merge, parse_set, read_layer, resolve
from agent_runner.errors import UsageError


def options(**given: object) -> Options:
    """The options of a command line on which only these were given."""
    blank: dict[str, object] = dict.fromkeys(Options.model_fields)
    lists = {"tests": (), "config": (), "sets": (), "keep": False, "quiet": False}
    return Options.model_validate(blank | lists | given)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_later_layers_win_key_by_key(tmp_path: Path) -> None:
    first = written(tmp_path / "a.yaml", "termination: {max_turns: 10, nudges: 5}\nmodel: glm\n")
    second = written(tmp_path / "b.yaml", "termination: {max_turns: 20}\n")
    sets = ("limits.tests_s=7", "limits.tests_s=8", "model=qwen")
    config = configure(options(config=(first, second), sets=sets, tasks=Path("t.jsonl")))
    assert config.termination.max_turns == 20
    assert config.termination.nudges == 5
    assert config.limits.tests_s == 8
    assert config.model == "qwen"
    assert config.limits.install_s == RunConfig().limits.install_s


def test_named_options_win_over_everything(tmp_path: Path) -> None:
    file = written(tmp_path / "a.yaml", "termination: {max_turns: 10}\nmodel: glm\ntask_id: a\n")
    below = {"config": (file,), "sets": ("termination.max_turns=11", "model=qwen")}
    named = {"max_turns": 12, "model": "kimi", "task_id": "b", "tasks": Path("t.jsonl")}
    config = configure(options(**below, **named))
    assert (config.termination.max_turns, config.model, config.task_id) == (12, "kimi", "b")


def test_the_seeds_bring_their_limits_below_everything_else() -> None:
    assert configure(options()).limits.clone_s == 5
    assert configure(options(sets=("limits.clone_s=6",))).limits.clone_s == 6
    assert configure(options(tasks=Path("other.jsonl"))).limits.clone_s == 120


def test_a_model_named_by_hand_turns_a_replay_into_a_live_run(tmp_path: Path) -> None:
    file = written(tmp_path / "demo.yaml", "solver: replay\nrecording: demo.yaml\n")
    assert configure(options(config=(file,))).solver == "replay"
    live = configure(options(config=(file,), model="kimi"))
    assert (live.solver, live.recording, live.model) == ("agent", None, "kimi")
    kept = configure(options(config=(file,), model="kimi", solver="replay"))
    assert kept.solver == "replay"


def test_a_patch_chooses_its_solver_and_fits_no_other() -> None:
    config = configure(options(patch=Path("a.diff")))
    assert (config.solver, config.patch.file) == ("patch", "a.diff")
    with pytest.raises(UsageError, match="--patch is for --solver patch, not for gold"):
        configure(options(patch=Path("a.diff"), solver="gold"))
    with pytest.raises(UsageError, match="--solver patch needs --patch FILE"):
        configure(options(solver="patch"))
    assert configure(options(repo=".")).solver == "patch"


def test_maps_merge_and_lists_are_replaced() -> None:
    low = {"a": {"x": 1, "y": 2}, "list": [1, 2], "b": 1}
    assert merge(low, {"a": {"y": 3}, "list": [9], "b": {"c": 1}}) == {
        "a": {"x": 1, "y": 3},
        "list": [9],
        "b": {"c": 1},
    }
    assert low == {"a": {"x": 1, "y": 2}, "list": [1, 2], "b": 1}


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("a=1", {"a": 1}),
        ("a.b.c=1.5", {"a": {"b": {"c": 1.5}}}),
        ("a=x=y", {"a": "x=y"}),
        ("a=[one, two]", {"a": ["one", "two"]}),
        ("a=null", {"a": None}),
        ("a=", {"a": None}),
        ("a='1'", {"a": "1"}),
        ("a={b: true}", {"a": {"b": True}}),
    ],
)
def test_values_of_set_are_yaml(text: str, layer: dict[str, object]) -> None:
    assert parse_set(text) == layer


@pytest.mark.parametrize("text", ["a", "=1", "a=[1", "a=2024-99-99"])
def test_a_set_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--set .*(expected key|no YAML)"):
        parse_set(text)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("termination.max_turn=3", r"unknown key 'termination.max_turn'.*termination\.max_turns"),
        ("max_turns=3", r"unknown key 'max_turns'.*termination\.max_turns"),
        ("limits.test_s=3", r"unknown key 'limits.test_s'.*limits\.tests_s"),
        ("modle=x", r"unknown key 'modle'; did you mean model"),
        ("termination.max_turns=many", r"termination\.max_turns: .*valid integer"),
        ("termination.max_turns=0", r"termination\.max_turns: .*greater than or equal to 1"),
        ("limits.memory_mb=1", r"limits\.memory_mb: "),
        ("limits=5", r"limits: should be a map of keys"),
        ("images.python=2.7", r"images\.python: "),
        ("solver=magic", r"solver: .*'gold'"),
        ("termination.tail_pattern=['(']", r"tail_pattern\.0: .*no regular expression"),
    ],
)
def test_a_wrong_key_or_value_is_named_in_one_line(setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        resolve([parse_set(setting)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [1", "line 1: not valid YAML"),
        (b"- a\n- b\n", "a map of keys"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"when: 2024-99-99", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_layer(tmp_path / "a.yaml")


def test_an_absent_file_is_refused_and_an_empty_one_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read"):
        read_layer(tmp_path / "none.yaml")
    assert read_layer(written(tmp_path / "empty.yaml", "# nothing\n")) == {}


def test_what_is_dumped_reads_back_the_same(tmp_path: Path) -> None:
    layers: list[Layer] = [
        {"task_id": "größe", "termination": {"tail_pattern": ["^\\d+ passed", "a: b"]}},
        {"limits": {"tokens": 5, "cost_usd": 0.25}, "patch": {"file": "x.diff"}},
    ]
    config = resolve(layers)
    assert resolve([read_layer(written(tmp_path / "c.yaml", dump(config)))]) == config


def test_a_dump_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHUTES_API_KEY", "cpk-very-secret")
    text = dump(configure(options(model="kimi", task_id="a")))
    assert "cpk-very-secret" not in text
    assert set(yaml.safe_load(text)) == set(RunConfig.model_fields)


def test_a_bare_off_in_yaml_is_no_boolean() -> None:
    assert resolve([{"record": yaml.safe_load("off")}]).record == "off"
    assert resolve([parse_set("record=off")]).record == "off"
    assert resolve([yaml.safe_load(dump(resolve([{"record": "off"}])))]).record == "off"
