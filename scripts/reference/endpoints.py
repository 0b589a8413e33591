"""reference/http.md, from the description that the server gives of itself in /openapi.json."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from brushwork.api.openapi import describe
from brushwork.api.tasks import task_routes
from brushwork.api.web import CHAPTERS
from brushwork.tasks import TASKS
from reference.markdown import anchor, code, fence, page, table

Operation = Mapping[str, Any]


def endpoints_page() -> str:
    found = list(operations())
    overview = table(
        ("endpoint", "what it does"),
        [(f"[{code(title)}](#{anchor(title)})", words_of(operation).splitlines()[0]) for title, operation in found],
    )
    return page("HTTP endpoints", INTRODUCTION, overview, *(section(title, operation) for title, operation in found))


def operations() -> Iterator[tuple[str, Operation]]:
    """("GET /v1/jobs", what OpenAPI says of it) for every endpoint."""
    app = FastAPI(title="Brushwork", version="0", openapi_url=None)
    for router in (task_routes(TASKS), *(chapter.router for chapter in CHAPTERS)):
        app.include_router(router)
    for path, methods in describe(app, TASKS)["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def section(title: str, operation: Operation) -> str:
    errors = ", ".join(status for status in operation["responses"] if int(status) >= 400)
    facts = f"{KEYS[kind_of_key(operation)]} May answer {errors} instead of 200."
    parameters = [
        (code(given["name"]), given["in"], values_of(given["schema"]), given.get("description", ""))
        for given in operation.get("parameters", ())
    ]
    parts = [f"## {title}", words_of(operation), facts]
    if parameters:
        parts.append(table(("parameter", "where", "value", "meaning"), parameters))
    return "\n\n".join([*parts, fence(example(title, operation), "sh")])


def kind_of_key(operation: Operation) -> str:
    """What opens an endpoint: nothing, an account's key, an operator's, or the token that only /metrics may ask for."""
    security = operation.get("security", ())
    if {} in security:
        return "metrics"
    if {"operatorKey": []} in security:
        return "operator"
    return "account" if security else "none"


def words_of(operation: Operation) -> str:
    """The docstring of the endpoint; of a task's endpoint, its summary."""
    words: str = operation.get("description") or operation["summary"]
    return words.strip()


def values_of(schema: Mapping[str, Any]) -> str:
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    return " or ".join(
        ", ".join(code(value) for value in choice["enum"])
        if "enum" in choice
        else str(choice.get("format") or choice.get("type", "text"))
        for choice in choices
    )


def example(title: str, operation: Operation) -> str:
    method, path = title.split()
    header = HEADERS[kind_of_key(operation)]
    prefix = "/api" if header and "Bearer" not in header else ""
    path = path.replace("{job_id}", "$JOB").replace("{name}", "$FILE.png?expires=$EXPIRES&signature=$SIGNATURE")
    path = re.sub(r"\{(\w+)\}", lambda name: f"${name[1].upper()}", path)
    words = ["curl", *([] if method == "GET" else ["-X", method]), *(["-N"] if path.endswith("/events") else [])]
    words.append(f'"http://127.0.0.1:8080{prefix}{path}"')
    if header:
        words.append(f'-H "{header}"')
    if body := operation.get("requestBody"):
        if form := body["content"].get("multipart/form-data"):
            words += [f"-F {name}=@picture.png" for name in form["schema"]["required"]]
        else:
            given = body["content"]["application/json"]["example"]
            words.append(f"-d '{json.dumps(given, ensure_ascii=False)}'")
    return " ".join(words)


KEYS = {
    "none": "Needs no key.",
    "account": "Needs a key.",
    "operator": "Needs an operator's key.",
    "metrics": "Needs no key, but the token of the operator where one is set.",
}

HEADERS = {
    "none": "",
    "account": "x-api-key: $KEY",
    "operator": "api-key: $OPERATOR_KEY",
    "metrics": "Authorization: Bearer $BRUSHWORK_METRICS_KEY",
}

INTRODUCTION = """
Every path works as written, under `/api`, and under `/api/api`; nothing is ever redirected. The key goes into the
header `x-api-key`, or `Authorization: Bearer`; an operator's may also come as `api-key`. Success is exactly 200 with
JSON, except for downloads, event streams, tables and metrics. `GET /openapi.json` says all of this to programs.

Every answer carries an `x-request-id`: yours if you sent one, else a new one. It is in the log of the server as well.
"""
