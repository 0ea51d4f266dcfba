"""Predictions of every agent, their patches to the last byte."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runner.benchmarks.swebench.predictions import NOT_UTF8, Prediction, read_predictions
from agent_runner.errors import UsageError

PATCH = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+b\r\n"


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def pred(name: str, patch: object = PATCH, **more: object) -> dict[str, Any]:
    return {"instance_id": name, "model_name_or_path": "m", "model_patch": patch, **more}


def test_a_map_by_id_a_list_and_lines_are_the_same(tmp_path: Path) -> None:
    found = [pred("a"), pred("b", "other")]
    texts = (
        json.dumps(found),
        json.dumps({each["instance_id"]: each for each in found}),
        json.dumps({each["instance_id"]: {k: each[k] for k in ("model_name_or_path", "model_patch")}
                    for each in found}),
        "".join(f"{json.dumps(each)}\n\n" for each in found),
        "\ufeff" + json.dumps(found),
    )  # fmt: skip
    expected = {"a": Prediction("a", "m", PATCH.encode()), "b": Prediction("b", "m", b"other")}
    for number, text in enumerate(texts):
        # The name says nothing: people call lines `.json` and lists `.jsonl`.
        path = write(tmp_path, f"preds{number}.{'json' if number % 2 else 'jsonl'}", text)
        assert read_predictions(path).by_id == expected


def test_one_prediction_alone_is_no_map(tmp_path: Path) -> None:
    assert list(read_predictions(write(tmp_path, "p.json", json.dumps(pred("a")))).by_id) == ["a"]


def test_openhands_keeps_the_patch_elsewhere(tmp_path: Path) -> None:
    lines = [
        {"instance_id": "a", "test_result": {"git_patch": PATCH}, "metadata": {}, "history": []},
        {"instance_id": "b", "test_result": {"git_patch": None}, "error": "x"},
        {"instance_id": "c", "test_result": {}},
        {"instance_id": "d", "test_result": None},
    ]
    found = read_predictions(write(tmp_path, "output.jsonl", "\n".join(map(json.dumps, lines))))
    patches = {name: each.patch for name, each in found.by_id.items()}
    assert patches == {"a": PATCH.encode(), "b": None, "c": None, "d": None}


@pytest.mark.parametrize(
    ("patch", "is_empty"), [(None, True), ("", True), ("\n", False), (" ", False)]
)
def test_null_and_the_empty_text_alone_are_empty(
    tmp_path: Path, patch: object, is_empty: bool
) -> None:
    path = write(tmp_path, "p.json", json.dumps([pred("a", patch)]))
    assert read_predictions(path).by_id["a"].is_empty is is_empty


def test_of_several_for_one_instance_the_last_counts_and_is_told(tmp_path: Path) -> None:
    found = [pred("a", "1"), pred("b", "1"), pred("a", "2"), pred("b", "1")]
    read = read_predictions(write(tmp_path, "p.json", json.dumps(found)))
    assert (read.by_id["a"].patch, read.repeated) == (b"2", ("a",))


def test_what_is_no_utf8_spoils_one_prediction_and_no_other(tmp_path: Path) -> None:
    raw = b"\n".join([
        json.dumps(pred("a")).encode(),
        json.dumps(pred("b", "\ud800")).encode(),
        json.dumps(pred("c", "PATCH")).encode().replace(b"PATCH", b"caf\xe9"),
        json.dumps(pred("d", "\udcff")).encode(),
    ])  # fmt: skip
    (tmp_path / "p.jsonl").write_bytes(raw)
    found = read_predictions(tmp_path / "p.jsonl").by_id
    assert {name: each.fault for name, each in found.items()} == {
        "a": "", "b": NOT_UTF8, "c": NOT_UTF8, "d": NOT_UTF8,
    }  # fmt: skip
    assert not any(each.is_empty for each in found.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no predictions"),
        ("[]", "holds no predictions"),
        ("{}", "lacks instance_id|holds no predictions"),
        ("diff --git a/x b/x\n", "line 1: no JSON.*a JSON object a line"),
        ('{"instance_id": "a", "model_patch": ""}\n{', "line 2: no JSON"),
        ("[7]", "prediction 1: a prediction is a JSON object"),
        ('[{"model_patch": ""}]', "prediction 1: the prediction lacks instance_id"),
        ('[{"instance_id": 7, "model_patch": ""}]', "lacks instance_id"),
        ('[{"instance_id": "a"}]', r"prediction 1 \(a\): the prediction lacks model_patch"),
        ('{"a": {"x": 1}}', r"a \(a\): the prediction lacks model_patch"),
        ('[{"instance_id": "a", "model_patch": ["x"]}]', "model_patch is text or null, not list"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_predictions_file_is_told_by_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_predictions(write(tmp_path, "p.json", text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the predictions .*No such file"):
        read_predictions(tmp_path / "none.json")


NAMES = st.text(st.characters(codec="utf-8"), min_size=1)
PATCHES = st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(NAMES, PATCHES, min_size=1), st.booleans(), st.booleans())
def test_every_byte_of_a_patch_comes_through(
    tmp_path_factory: pytest.TempPathFactory, patches: dict[str, str], lines: bool, ascii_only: bool
) -> None:
    found = [pred(name, patch) for name, patch in patches.items()]
    texts = [json.dumps(each, ensure_ascii=ascii_only) for each in found]
    text = "\n".join(texts) if lines else f"[{','.join(texts)}]"
    path = write(tmp_path_factory.mktemp("preds"), "p", text)
    read = {name: each.patch for name, each in read_predictions(path).by_id.items()}
    assert read == {name: patch.encode() for name, patch in patches.items()}


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_content_is_more_than_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("preds") / "p.json"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        read_predictions(path)
