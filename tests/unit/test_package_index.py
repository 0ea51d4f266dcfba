"""Which package index is used, and for how long its answers hold."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from tools.workspace.build.package_index import (
    certificates,
    refreshed,
    uv_settings,
    variables,
)


def test_without_a_variable_it_is_pypi_whose_pages_hold_a_day() -> None:
    (index,) = tomllib.loads(uv_settings({}))["index"]
    assert (index["url"], index["default"]) == ("https://pypi.org/simple", True)
    assert index["cache-control"]["api"] == "max-age=86400"
    assert "immutable" in index["cache-control"]["files"]
    assert variables({"HOME": "/root"}) == {}


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_one_variable_names_it_for_both(name: str) -> None:
    url = "https://user:p%22w@mirror.example/simple?a=b"
    assert tomllib.loads(uv_settings({name: url}))["index"][0]["url"] == url
    assert variables({name: url}) == {"UV_DEFAULT_INDEX": url, "PIP_INDEX_URL": url}


def test_each_tool_takes_its_own_first() -> None:
    environ = {"PIP_INDEX_URL": "https://pip/", "UV_INDEX_URL": "https://uv/", "NO_PROXY": "x"}
    assert tomllib.loads(uv_settings(environ))["index"][0]["url"] == "https://uv/"
    assert variables(environ) == {
        "UV_DEFAULT_INDEX": "https://uv/", "PIP_INDEX_URL": "https://pip/", "NO_PROXY": "x",
    }  # fmt: skip


def test_an_index_may_have_a_name_which_pip_does_not_know() -> None:
    environ = {"UV_DEFAULT_INDEX": "mine=https://mirror/simple"}
    (index,) = tomllib.loads(uv_settings(environ))["index"]
    assert (index["name"], index["url"]) == ("mine", "https://mirror/simple")
    assert variables(environ) == {
        "UV_DEFAULT_INDEX": "mine=https://mirror/simple",
        "PIP_INDEX_URL": "https://mirror/simple",
    }


@pytest.mark.parametrize(("age", "options"), [
    (timedelta(hours=1), ("--refresh",)), (timedelta(hours=23), ("--refresh",)),
    (timedelta(hours=25), ()), (timedelta(days=2000), ()),
])  # fmt: skip
def test_pages_are_asked_for_again_where_the_date_is_of_the_last_day(
    age: timedelta, options: tuple[str, ...]
) -> None:
    date = datetime.now(UTC) - age
    assert refreshed(date.isoformat()) == options
    assert refreshed(date.strftime("%Y-%m-%dT%H:%M:%SZ")) == options
    assert refreshed(date.replace(tzinfo=None).isoformat()) == options


def test_named_certificates_come_before_those_of_the_machine() -> None:
    assert str(certificates({"SSL_CERT_FILE": "/a", "PIP_CERT": "/b"})) == "/a"
    assert str(certificates({"PIP_CERT": "/b"})) == "/b"
