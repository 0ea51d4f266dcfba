"""Predictions: patches by instance, as agents of all kinds write them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent_runner.errors import UsageError

GOLD, EMPTY = "gold", "empty"
NOT_UTF8 = "the patch is not UTF-8 text (it holds lone surrogates); nothing can apply it as it is"


@dataclass(frozen=True)
class Prediction:
    """One patch, never edited.

    Attributes:
        model: `model_name_or_path`; "" where the file names none.
        patch: its bytes; None for `null`.
        fault: why nothing can be done with it; "" for all others.
    """

    instance_id: str
    model: str
    patch: bytes | None
    fault: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the official report counts it among the empty ones and grades nothing."""
        return not self.patch and not self.fault


@dataclass(frozen=True)
class Predictions:
    """What a file holds.

    Attributes:
        by_id: the last one of each instance, as in the official harness.
        repeated: ids that came more than once with different patches.
    """

    by_id: Mapping[str, Prediction]
    repeated: tuple[str, ...] = ()


def read_predictions(path: Path) -> Predictions:
    """Reads `preds.json`, `preds.jsonl` (SWE-agent, mini-swe-agent) or `output.jsonl` (OpenHands).

    Raises:
        UsageError: it cannot be read, or is no predictions file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the predictions {path}: {error.strerror}") from error
    by_id: dict[str, Prediction] = {}
    repeated: dict[str, None] = {}
    for where, name, item in _items(path, content):
        prediction = _prediction(item, where, name)
        before = by_id.pop(prediction.instance_id, None)
        if before is not None and before.patch != prediction.patch:
            repeated[prediction.instance_id] = None
        by_id[prediction.instance_id] = prediction
    if not by_id:
        raise UsageError(f"{path} holds no predictions")
    return Predictions(by_id, tuple(repeated))


def _items(path: Path, content: bytes) -> Iterator[tuple[str, str, object]]:
    """Place, key (of a map by id, else "") and value of each prediction.

    The form is told by the content, not by the name; bytes that are no UTF-8 become surrogates, so
    that they spoil one prediction and not the file.
    """
    text = content.decode("utf-8-sig", "surrogateescape")
    try:
        tree = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        yield from _lines(path, text)
        return
    if isinstance(tree, dict) and "instance_id" not in tree:
        yield from ((f"{path}, {name}", name, value) for name, value in tree.items())
        return
    for number, value in enumerate(tree if isinstance(tree, list) else [tree], start=1):
        yield f"{path}, prediction {number}", "", value


def _lines(path: Path, text: str) -> Iterator[tuple[str, str, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield f"{path}, line {number}", "", json.loads(line)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"{path}, line {number}: no JSON: {error.msg}; predictions are a JSON object a "
                "line, a JSON list, or a JSON map by instance id"
            ) from error
        except RecursionError as error:
            raise UsageError(f"{path}, line {number}: is nested too deeply") from error


def _prediction(item: object, where: str, name: str) -> Prediction:
    if not isinstance(item, dict):
        raise UsageError(f"{where}: a prediction is a JSON object with instance_id and model_patch")
    instance_id = item.get("instance_id") or name
    if not instance_id or not isinstance(instance_id, str):
        raise UsageError(f"{where}: the prediction lacks instance_id")
    patch = _patch(item, f"{where} ({instance_id})")
    model = str(item.get("model_name_or_path") or "")
    try:
        return Prediction(instance_id, model, None if patch is None else patch.encode())
    except UnicodeEncodeError:
        return Prediction(instance_id, model, None, fault=NOT_UTF8)


def _patch(item: Mapping[str, object], where: str) -> str | None:
    """`model_patch`, else what OpenHands calls `test_result.git_patch`."""
    test_result = item.get("test_result")
    places = [(item, "model_patch"), (item, "git_patch")]
    if isinstance(test_result, dict):
        places.append((test_result, "git_patch"))
    for holder, key in places:
        if key in holder:
            patch = holder[key]
            if patch is None or isinstance(patch, str):
                return patch
            raise UsageError(f"{where}: {key} is text or null, not {type(patch).__name__}")
    if "test_result" in item:
        return None  # a run of OpenHands that ended without a patch
    raise UsageError(f"{where}: the prediction lacks model_patch")
