"""reference/tasks.md, from the task types in `TASKS`."""

import json
from typing import Any

from pydantic import BaseModel

from brushwork.api.openapi import example_job
from brushwork.tasks import TASKS
from brushwork.tasks.base import Task
from brushwork.tasks.prices import PRICES, VIDEO_PRICES, VIDEO_UPSCALE
from reference.markdown import code, fence, json_fence, link_to, page, table

KINDS = {"grid": "four pictures and a grid of them", "image": "one picture", "video": "videos", "text": "text"}

SHOWN = ("job_id", "task_type", "status", "output", "meta")
"""What of an answer is worth reading at every task."""

BOUNDS = {"maxLength": "at most {} characters", "minimum": "from {}", "maximum": "to {}"}


CLIPS = "{} points at 480p and {} at 720p for four clips".format(*VIDEO_PRICES)
COSTS = {
    **{name: f"{points} points" for name, points in PRICES.items()},
    "video-diffusion": CLIPS,
    "extend-video": CLIPS,
    "video-upscale": f"{VIDEO_UPSCALE} points",
}


def tasks_page() -> str:
    rows = [(link_to(name), first_line(task), KINDS[task.makes], COSTS[name]) for name, task in TASKS.items()]
    overview = table(("task", "what it does", "makes", "price"), rows)
    ended = example_job(next(iter(TASKS)), TASKS, ended=True)
    return page(
        "Task types",
        INTRODUCTION,
        overview,
        *(section(name, task) for name, task in TASKS.items()),
        OBJECTS,
        *(f"### {name}\n\n{table_of(schema)}" for name, schema in objects().items()),
        f"## A finished job\n\n{FINISHED}\n\n{json_fence(ended)}",
    )


def section(name: str, task: type[Task]) -> str:
    facts = f"Makes {KINDS[task.makes]}. Costs {COSTS[name]} before the multipliers of its prompt."
    if task.takes:
        facts += f" Follows a job that made {' or '.join(KINDS[kind] for kind in sorted(task.takes))}."
    if task.needs:
        facts += f" Needs an engine that can {code(task.needs.value)}."
    body = json.dumps(task.example, ensure_ascii=False)
    request = f"curl -X POST http://127.0.0.1:8080/api/v1/{name} \\\n  -H \"x-api-key: $KEY\" -d '{body}'"
    return "\n\n".join(
        (
            f"## {name}",
            first_line(task),
            facts,
            fields_table(task),
            fence(request, "sh"),
            "The answer, at once, in short:",
            json_fence({key: value for key, value in example_job(name, TASKS).items() if key in SHOWN}),
        )
    )


def objects() -> dict[str, dict[str, Any]]:
    """The objects inside bodies, by name."""
    found: dict[str, dict[str, Any]] = {}
    for task in TASKS.values():
        found |= task.model_json_schema(by_alias=True).get("$defs", {})
    return dict(sorted(found.items()))


def fields_table(model: type[BaseModel]) -> str:
    return table_of(model.model_json_schema(by_alias=True))


def table_of(schema: dict[str, Any]) -> str:
    """The fields of an object, the required ones first."""
    required = schema.get("required", ())
    rows = [
        (code(name), kind_of(field), "yes" if name in required else "no", field.get("description", ""))
        for name, field in sorted(schema["properties"].items(), key=lambda item: item[0] not in required)
    ]
    return table(("field", "value", "required", "meaning"), rows)


def kind_of(field: dict[str, Any]) -> str:
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    return " or ".join(described(choice) for choice in choices)


def described(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return link_to(field["$ref"].rpartition("/")[2])
    if "items" in field:
        return f"list of {described(field['items'])}" + counted(field)
    if "enum" in field:
        return "one of " + ", ".join(code(json.dumps(value)) for value in field["enum"])
    limits = [words.format(field[key]) for key, words in BOUNDS.items() if key in field]
    return ", ".join([field.get("type", "object"), *limits])


def counted(field: dict[str, Any]) -> str:
    least, most = field.get("minItems"), field.get("maxItems")
    return (f", at least {least}" if least else "") + (f", at most {most}" if most else "")


def first_line(task: type[Task]) -> str:
    return (task.__doc__ or "").splitlines()[0]


OBJECTS = """
## Objects in bodies

Sizes and places are in pixels. A picture is an http(s) URL of at most 1024 characters, a link to a file of this server,
or a `data:` URL; in a form (`multipart/form-data`) it may be a file, and objects are written as JSON.
""".strip()

INTRODUCTION = """
A task type is what can be asked: `POST /v1/<task>` with a JSON object. The answer is the new job, and comes as soon as
the job is stored and its price is held. In optional fields `null` and `""` mean "not given"; fields that are not listed
are ignored. What the words of a prompt may be followed by is in [prompt parameters](prompt-parameters.md).
"""

FINISHED = """
`GET /v1/job/{job_id}` answers with the same object, fuller. `image_url` is the grid, `image_urls` are the four
pictures. A time that has not come is `0001-01-01T00:00:00Z`.
""".strip()
