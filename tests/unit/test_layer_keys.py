"""The keys and names of layers: the same content has the same key, everywhere and always."""

from dataclasses import replace

import pytest

from tools.workspace import labels as label
from tools.workspace.engine import Image
from tools.workspace.layers.instance import instance_key, instance_tag
from tools.workspace.packages.environment import EnvironmentPlan
from tools.workspace.packages.ground import base_key

PLAN = EnvironmentPlan(python="3.10", as_of="2024-01-01T00:00:00Z", files={"a": "1", "b": "2"})
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def image(**labels: str) -> Image:
    return Image(id="sha256:1", labels=labels, size_bytes=1, tags=("swebench-lite:py3.10",))


def test_a_base_image_of_ours_is_known_by_what_it_was_made_of() -> None:
    assert base_key(image(**{label.KEY: "k"})) == "k"
    assert base_key(image()) == "sha256:1"


def test_equal_content_has_an_equal_key() -> None:
    key = instance_key(image(), PLAN, "/seeds/a", COMMIT)
    turned = replace(PLAN, files={"b": "2", "a": "1"}, reasons=("for a person",))
    assert instance_key(image(), turned, "/seeds/a", COMMIT) == key
    assert len(key) == 16


@pytest.mark.parametrize(
    ("base", "plan", "source", "commit"),
    [
        (image(**{label.KEY: "other"}), PLAN, "/seeds/a", COMMIT),
        (image(), replace(PLAN, as_of="2024-01-02T00:00:00Z"), "/seeds/a", COMMIT),
        (image(), PLAN, "/seeds/b", COMMIT),
        (image(), PLAN, "/seeds/a", COMMIT[::-1]),
    ],
)
def test_whatever_determines_an_instance_changes_its_key(
    base: Image, plan: EnvironmentPlan, source: str, commit: str
) -> None:
    key = instance_key(image(), PLAN, "/seeds/a", COMMIT)
    assert instance_key(base, plan, source, commit) != key


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://host/owner/My.Repo.git", "my-repo-git"),
        ("/seeds/repos/spanset.fast-import", "spanset-fast-import"),
        ("git@host:owner/x/", "x"),
        ("/über/", "ber"),
        ("/___", "project"),
        ("/" + "x" * 90, "x" * 40),
    ],
)
def test_a_tag_is_a_name_an_engine_takes(source: str, name: str) -> None:
    tag = instance_tag(COMMIT, source, "k" * 16)
    assert tag == f"agent_runner/instance:{name}-01234567-{'k' * 16}"
    assert len(tag.partition(":")[2]) <= 128
