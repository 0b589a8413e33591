"""A parsed prompt as plain JSON: what quotes and lint show of how a prompt was understood."""

from collections.abc import Mapping
from typing import Any

from brushwork.prompts.canonical import canonical
from brushwork.prompts.prompt import Prompt, Reference


def explained(prompt: Prompt) -> dict[str, Any]:
    """Everything a prompt says, by name; only what was written, no defaults."""
    return {
        "canonical": canonical(prompt),
        "version": prompt.version,
        "plan": prompt.plan,
        "text": prompt.text,
        "segments": [{"text": segment.text, "weight": segment.weight} for segment in prompt.segments],
        "image_urls": list(prompt.image_urls),
        "no": list(prompt.no),
        "params": {name: shown_value(value) for name, value in prompt.params.items()},
        "cost_multiplier": prompt.cost_multiplier,
    }


def warnings_of(prompt: Prompt) -> list[Mapping[str, Any]]:
    return [{"code": warning.code, "message": warning.message, "param": warning.param} for warning in prompt.warnings]


def shown_value(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return [shown_reference(item) if isinstance(item, Reference) else item for item in value]


def shown_reference(reference: Reference) -> dict[str, Any]:
    named = {"url": reference.url, "code": reference.code, "random": reference.random or None}
    return {name: value for name, value in named.items() if value is not None} | {"weight": reference.weight}
