"""What the prompt tests share: one line that says all a prompt became."""

from typing import Any

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt, Reference, Task


def reading(text: str, *, task: Task = "image") -> str:
    """`text=A cat; ar=16:9; cost x2; warn: dash_normalized`, or `422 out_of_range --ar`."""
    try:
        return told(parse_prompt(text, task=task))
    except (PromptGrammarError, PromptValueError) as error:
        return " ".join(filter(None, [str(error.status), error.code, error.detail.get("param")]))


def told(prompt: Prompt) -> str:
    parts = [f"v={prompt.version}"] if prompt.version not in ("7", "video") else []
    parts += [f"img={len(prompt.image_urls)}"] if prompt.image_urls else []
    if len(prompt.segments) > 1 or any(segment.weight != 1 for segment in prompt.segments):
        parts.append("seg=" + ", ".join(f"{segment.text}:{segment.weight:g}" for segment in prompt.segments))
    else:
        parts.append(f"text={prompt.text or '(none)'}")
    parts += [f"{name}={value_told(value)}" for name, value in prompt.params.items()]
    parts += [f"no=[{', '.join(prompt.no)}]"] if prompt.no else []
    parts += [f"cost x{prompt.cost_multiplier:g}"] if prompt.cost_multiplier != 1 else []
    parts += ["warn: " + ", ".join(warning.code for warning in prompt.warnings)] if prompt.warnings else []
    return "; ".join(parts)


def value_told(value: Any) -> str:
    if value is True:
        return "on"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(value_told, value))}]"
    if isinstance(value, Reference):
        return f"{'random' if value.random else value.url or value.code}:{value.weight:g}"
    return str(value)
