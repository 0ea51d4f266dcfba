import json
from typing import Any

import pytest

from agent_runner.provider.probe.listing import Listed, read_list
from agent_runner.provider.profile import Prices

ROWS: dict[str, tuple[dict[str, Any], Listed]] = {
    "Chutes": (
        {
            "context_length": 262144,
            "max_output_length": 65535,
            "pricing": {"prompt": 0.5, "completion": 2.85},
        },
        Listed("m", 262144, 65535, Prices(prompt=0.5, completion=2.85)),
    ),
    "Chutes, its other spelling": (
        {
            "max_model_len": 40960,
            "price": {"input": {"usd": 0.1, "tao": 1}, "output": {"usd": 0.4}},
        },
        Listed("m", 40960, None, Prices(prompt=0.1, completion=0.4)),
    ),
    "OpenRouter": (
        {
            "context_length": 262144,
            "top_provider": {"context_length": 131072, "max_completion_tokens": 32768},
            "pricing": {
                "prompt": "0.0000005", "completion": "0.00000285", "input_cache_read": "0.0000001",
                "image": "0",
            },
        },
        Listed("m", 262144, 32768, Prices(prompt=0.5, completion=2.85, cached=0.1)),
    ),
    "OpenRouter, a free one": (
        {"pricing": {"prompt": "0", "completion": "0"}},
        Listed("m", None, None, Prices(prompt=0, completion=0)),
    ),
    "OpenRouter, a router": (
        {"pricing": {"prompt": "-1", "completion": "-1"}},
        Listed("m", None, None, None),
    ),
    "vLLM": ({"max_model_len": 32768}, Listed("m", 32768, None, None)),
    "llama.cpp": (
        {"meta": {"n_ctx_train": 131072, "n_params": 1}},
        Listed("m", 131072, None, None, trained_only=True),
    ),
    "OpenAI": ({"object": "model", "owned_by": "x"}, Listed("m", None, None, None)),
    "nonsense": (
        {"context_length": "long", "pricing": [], "meta": None, "max_model_len": True},
        Listed("m", None, None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_each_way_to_write_a_model(name: str) -> None:
    row, wanted = ROWS[name]
    body = json.dumps({"object": "list", "data": [{"id": "m", **row}]}).encode()
    assert read_list(body) == {"m": wanted}


def test_a_bare_list_is_one_too_and_rows_without_an_id_are_not() -> None:
    assert list(read_list(b'[{"id": "a"}, {"name": "b"}, 3]')) == ["a"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": {}}', b"3", b'{"error": "x"}'])
def test_what_is_no_list(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_list(body)
