"""The bytes of a delivery."""

import json
from typing import Any

import pytest

from brushwork.jobs.webhooks.body import MAX_BYTES, job_body, plain_body

SMALL: dict[str, Any] = {
    "job_id": "7",
    "message": "Completed.",
    "input": {"text": "a fox"},
    "output": {"image_urls": ["https://example.com/a.png"]},
    "detail": {"engine": "noop", "recipe": {"rows": [1, 2]}},
}


def test_the_job_is_there_flat_and_inside_data() -> None:
    body = json.loads(job_body(SMALL, now=1_795_000_000.9))

    assert body == {**SMALL, "timestamp": 1_795_000_000, "data": SMALL}


def test_a_large_recipe_is_left_out_and_named() -> None:
    large = {**SMALL, "detail": {"engine": "noop", "recipe": {"rows": [{"text": "x" * 30_000}]}}}

    body = json.loads(job_body(large, now=0))

    assert body["detail"] == {"engine": "noop", "left_out": ["recipe"]}
    assert body["input"] == SMALL["input"]


@pytest.mark.parametrize(
    "large",
    [
        {"input": {"text": "🦊" * 8192}},
        {"input": {"imgUrls": [f"https://example.com/{'a' * 8000}"] * 5}},
        {"input": {"mask": {"areas": [{"points": list(range(5000))}] * 50}}},
        {"input": {"imgUrl": "data:image/png;base64," + "A" * 5_000_000}},
        {"output": {"prompts": ["word " * 4000] * 4, "image_urls": SMALL["output"]["image_urls"]}},
        {"error": {"code": 500, "message": "x" * 50_000, "detail": {"problems": ["y" * 900] * 50}}},
        {"detail": {f"name{number}": "x" * 400 for number in range(100)}},
    ],
    ids=["emoji", "links", "mask", "data", "prompts", "error", "detail"],
)
def test_nothing_makes_a_body_large(large: dict[str, Any]) -> None:
    body = job_body({**SMALL, **large}, now=0)

    assert len(body) < MAX_BYTES
    read = json.loads(body)
    assert read["data"]["job_id"] == read["job_id"] == "7"
    assert read["detail"]["left_out"]
    assert read["output"]["image_urls"] == SMALL["output"]["image_urls"]


def test_what_is_not_about_a_job_has_a_type() -> None:
    assert json.loads(plain_body("balance.low", {"available": 3}, now=7)) == {
        "type": "balance.low",
        "timestamp": 7,
        "data": {"available": 3},
    }
