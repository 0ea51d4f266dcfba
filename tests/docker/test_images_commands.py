"""`images`, as a person calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_runner.benchmarks.seeds import tasks_file
from agent_runner.prepare import Prepared
from tests.conftest import SEED

pytestmark = pytest.mark.docker


@pytest.fixture
def images(home: Path) -> "Images":
    return Images(home)


class Images:
    """Calls the command in the session's state directory."""

    def __init__(self, home: Path) -> None:
        self._env = {**os.environ, "AGENT_RUNNER_HOME": str(home)}

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "agent_runner", "images", *arguments]
        return subprocess.run(argv, env=self._env, capture_output=True, text=True, timeout=300)


def test_one_that_fails_keeps_none_of_the_others(
    images: Images, prepared: Prepared, tmp_path: Path
) -> None:
    seed = next(line for line in tasks_file().read_text("utf-8").splitlines() if SEED in line)
    good = json.loads(seed)
    good["repo"] = str((tasks_file().parent / good["repo"]).resolve())
    bad = {"task_id": "no-ref", "repo": good["repo"], "ref": "no-such-ref"}
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(f"{json.dumps(bad)}\n{json.dumps(good)}\n", encoding="utf-8")
    done = images("build", "--tasks", str(tasks), "--json")
    assert done.returncode == 3, done.stderr
    rows = json.loads(done.stdout)["tasks"]
    assert [(row["task_id"], row["state"], row["kind"]) for row in rows] == [
        ("no-ref", "failed", "usage"),
        (SEED, "there", ""),
    ]
    assert rows[1]["tag"] == prepared.instance.tag
    assert "has no ref 'no-such-ref'" in done.stderr
    assert done.stderr.splitlines()[-1] == "0 built, 1 were there, 1 failed"


def test_explain_names_every_choice_and_layer(
    images: Images, prepared: Prepared, tmp_path: Path
) -> None:
    done = images("explain", SEED, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["why"] == list(prepared.planned.environment.reasons)
    assert said["instance"] == prepared.instance.tag
    assert said["commit"] == prepared.commit
    layers = {row["layer"] for row in said["layers"]}
    # Where a registry answers, its image is the base.
    assert layers - {"system"} == {"instance", "environment", "base"}
    elsewhere = Images(tmp_path)("explain", SEED, "--json")
    assert json.loads(elsewhere.stdout)["pins"] == said["pins"], "the layer holds it all the same"
    text = images("explain", SEED)
    assert prepared.instance.tag in text.stdout
    for reason in said["why"]:
        assert reason in text.stdout


def test_ls_says_what_is_shared_and_what_is_not(images: Images, prepared: Prepared) -> None:
    done = images("ls", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    rows = {row["tag"]: row for row in said["images"]}
    instance = rows[prepared.instance.tag]
    assert instance["size_bytes"] == instance["shared_bytes"] + instance["unshared_bytes"]
    assert instance["own_bytes"] < instance["size_bytes"] / 10
    assert rows[prepared.instance.environment]["unshared_bytes"] == 0
    assert said["total_bytes"] < sum(row["size_bytes"] for row in rows.values())
    assert said["home_bytes"]["mirrors"] > 0
    assert prepared.instance.tag in images("ls").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "--official-tags"), "--official-tags belongs to --dataset"),
        (("prune", "--older-than", "soon"), "--older-than soon: a number and m, h, d or w"),
        (("build", "--task-id", "nobody"), "has no task 'nobody'"),
        (("explain", "nobody"), "has no task 'nobody'"),
        (("pull",), "Missing option '--dataset'"),
        (("build", "--set", "images.prefer=bult"), "images.prefer"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    arguments: tuple[str, ...], message: str, images: Images
) -> None:
    done = images(*arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not done.stdout
