"""Which layers may go: never what something that stays stands on."""

from agent_runner.images.prune import unused
from tools.workspace import labels as label
from tools.workspace.engine import Image
from tools.workspace.layers.official_tag import split_name
from tools.workspace.layers.sizes import Sized

NOW_S = 1000.0


def sized(
    name: str, layer: str, parent: str = "", depth: int = 0, containers: int = 0,
    created_s: int = 0, tag: bool = True,
) -> Sized:  # fmt: skip
    tags = (f"agent_runner/{name}",) if tag else ("<none>:<none>",)
    image = Image(name, {label.LAYER: layer}, 10, tags)
    return Sized(image, layer, 5, 5, parent, depth, created_s, containers)


SYSTEM = sized("system", "system")
BASE = sized("base", "base", "system")
ROOT = sized("root", "repository", "base", 1)
ENV = sized("env", "environment", "root", 2)
MORE = sized("more", "environment", "env", 3)
INSTANCE = sized("instance", "instance", "more", 4)
ALL = (INSTANCE, ENV, MORE, ROOT, BASE, SYSTEM)


def names(images: tuple[Sized, ...], level: str | None, used_s: float = 0) -> list[str]:
    return [one.image.id for one in unused(images, level, NOW_S, lambda name: used_s)]


def test_nothing_goes_while_an_instance_stands_on_it() -> None:
    assert names(ALL, None) == []


def test_what_no_instance_stands_on_goes_from_the_top_down() -> None:
    assert names(ALL[1:], None) == ["more", "env", "root"]


def test_a_level_takes_what_stands_on_it_along() -> None:
    assert names(ALL, "instance") == ["instance"]
    assert names(ALL, "env") == ["instance", "more", "env"]
    assert names(ALL, "repository") == ["instance", "more", "env", "root"]
    assert names(ALL, "base") == ["instance", "more", "env", "root", "base", "system"]


def test_a_container_keeps_its_image_and_all_below() -> None:
    busy = sized("instance", "instance", "more", 4, containers=1)
    assert names((busy, *ALL[1:]), "base") == []


def test_what_was_used_or_made_lately_stays_with_what_it_stands_on() -> None:
    young = sized("instance", "instance", "more", 4, created_s=2000)
    assert names((young, *ALL[1:]), "base") == []
    assert names(ALL, "base", used_s=2000) == []


def test_an_image_that_lost_its_name_goes_at_any_level() -> None:
    lost = sized("lost", "instance", "more", 4, tag=False)
    assert names((lost, *ALL[1:]), None) == ["lost", "more", "env", "root"]
    assert names((lost, *ALL), "instance") == ["instance", "lost"] or names(
        (lost, *ALL), "instance"
    ) == ["lost", "instance"]


def test_a_colon_before_the_last_slash_is_a_port() -> None:
    assert split_name("localhost:5000/a/b") == ("localhost:5000/a/b", "latest")
    assert split_name("localhost:5000/a/b:1") == ("localhost:5000/a/b", "1")
    assert split_name("a/b") == ("a/b", "latest")
