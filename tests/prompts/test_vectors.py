"""The shared vectors: what every implementation of the prompt language must answer, field by field."""

import json
from pathlib import Path
from typing import Any

import pytest

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt, Reference

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "prompt_vectors.json").read_text())["vectors"]


def as_json(prompt: Prompt) -> dict[str, Any]:
    return {
        "ok": True,
        "version": prompt.version,
        "text": prompt.text,
        "segments": [{"text": segment.text, "weight": segment.weight} for segment in prompt.segments],
        "image_urls": list(prompt.image_urls),
        "params": {name: plain(value) for name, value in prompt.params.items()},
        "no": list(prompt.no),
        "cost_multiplier": prompt.cost_multiplier,
        "warnings": [warning.code for warning in prompt.warnings],
    }


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Reference):
        return {key: item for key, item in vars(value).items() if item not in (None, False)}
    return value


def answer(text: str, task: str) -> dict[str, Any]:
    try:
        return as_json(parse_prompt(text, task=task))  # type: ignore[arg-type]  # the file's word
    except (PromptGrammarError, PromptValueError) as error:
        answered = {"ok": False, "status": error.status, "code": error.code}
        return answered | ({"param": error.detail["param"]} if "param" in error.detail else {})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_the_parser_answers_the_shared_vectors(vector: dict[str, Any]) -> None:
    expected = vector["expect"]

    answered = answer(vector["input"] * vector.get("repeat", 1), vector["task"])

    assert {key: answered.get(key) for key in expected} == expected
    assert answered["ok"] or answered.keys() == expected.keys()
