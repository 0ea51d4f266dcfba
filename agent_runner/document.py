"""Files that people write, read into checked values; what is wrong becomes one clear line."""

from collections.abc import Hashable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from agent_runner.errors import UsageError

M = TypeVar("M", bound=BaseModel)
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(path: Path) -> object:
    """What a YAML file holds.

    Raises:
        UsageError: it cannot be read or is not YAML; names the file and the line.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _NoKeyTwice)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {_yaml_reason(error)}") from error
    except ValueError as error:  # such as a date with a thirteenth month
        raise UsageError(f"{path}: not valid YAML: {error}") from error


class _NoKeyTwice(yaml.SafeLoader):
    """YAML's safe loader, which would let the last of two equal keys win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    problem = f"the key {key.value!r} stands twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_document(path: Path, model: type[M]) -> M:
    """What a YAML file holds, validated.

    Raises:
        UsageError: as `read_yaml`, or it does not fit `model`; names the place in it.
    """
    tree = read_yaml(path)
    if tree is None:
        raise UsageError(f"{path}: is empty")
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, keys(model))}") from error


def explain(error: ValidationError, known: Iterable[str]) -> str:
    """The first thing wrong, in one line; an unknown key comes with the nearest right one.

    An unknown key comes before a missing one: it may be the same, misspelt.
    """
    wrong = error.errors(include_url=False)
    first = next((each for each in wrong if each["type"] == "extra_forbidden"), wrong[0])
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        by_last = {name.rpartition(".")[2]: name for name in known}
        close = get_close_matches(place.rpartition(".")[2], by_last, n=1, cutoff=0.4)
        hint = f"; did you mean {by_last[close[0]]}?" if close else ""
        return f"unknown key {place!r}{hint}"
    if first["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        return f"{place or 'the whole file'}: should be a map of keys"
    return f"{place or 'the whole file'}: {first['msg'].removeprefix('Value error, ')}"


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key of a document of `model`, dotted where models nest, `*` for what varies."""
    found = []
    for name, field in model.model_fields.items():
        found.append(f"{prefix}{name}")
        for kind in _models_in(field.annotation):
            inner = "." if kind is field.annotation else ".*."
            found += keys(kind, f"{prefix}{name}{inner}")
    return found


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """The models an annotation names, those inside `tuple[...]`, `dict[...]` and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for inner in getattr(annotation, "__args__", ()) for kind in _models_in(inner)]


def _yaml_reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: not valid YAML: {error.problem}"
    return "not valid YAML: " + " ".join(str(error).split())
