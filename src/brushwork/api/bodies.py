"""Reading a body as clients really send it: JSON whatever the content type, JSON inside a JSON string, multipart forms.

Every way in which a body can be wrong ends in a 400 that names the problem, or in a 413. Knows no task by name: what is
optional and what is text comes from the fields of the task, or of whatever else a body is to become.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from brushwork.errors import BadRequest, InvalidField, PayloadTooLarge, RequestTimeout

Fields = TypeVar("Fields", bound=BaseModel)

DRAINED_TIMES = 8
"""A body of up to so many times the limit is read to its end, so the client hears the 413, not a broken pipe."""

BODY_SECONDS = 60.0
"""A client that sends more slowly than this is not kept waiting for."""

LAYERS = 3
"""How often JSON may be wrapped in a JSON string; some generated clients do it once."""

MAX_PARTS = 64

MAX_VALUES = 100_000
"""Fields and items in all; looking at the millions that fit into a large body would hold up everyone else."""

PROBLEMS: Mapping[str, str] = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} item(s)",
    "too_long": "must have at most {max_length} item(s)",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "value_error": "{error}",
}
"""What pydantic found → the end of a sentence that begins with the field's name."""


async def read_fields(request: Request, kind: type[Fields], *, limit: int, may_be_empty: bool = False) -> Fields:
    """Read the body of a request as a JSON object with these fields."""
    body = await read_bytes(request, limit=limit)
    return fields_of(read_json_object(b"{}" if may_be_empty and not body.strip() else body), kind)


async def read_task(request: Request, kind: type[Fields], *, limit: int) -> Fields:
    """Read the body of a request as the fields of a task: JSON, or a form."""
    body = await read_bytes(request, limit=limit)
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        fields = unwrap_nested_json(await read_multipart(request, body), kind)
    else:
        fields = read_json_object(body)
    return fields_of(fields, kind)


async def read_bytes(request: Request, *, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """Read a body, whatever its headers say of its length; more than `limit` bytes or `seconds` are refused."""
    try:
        async with asyncio.timeout(seconds):
            return await read_limited(request, limit)
    except TimeoutError:
        raise RequestTimeout(seconds) from None


async def read_limited(request: Request, limit: int) -> bytes:
    too_large = PayloadTooLarge(f"The body is larger than the {limit} bytes this server accepts.", limit=limit)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit * DRAINED_TIMES:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > limit * DRAINED_TIMES:
            raise too_large
    if size > limit:
        raise too_large
    return b"".join(chunks)


def read_json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object, or a JSON string that holds one."""
    if not body.strip():
        raise BadRequest("The body is empty; a JSON object is expected.")
    value: Any = body.removeprefix(b"\xef\xbb\xbf")
    for _ in range(LAYERS):
        try:
            value = from_json(value, allow_inf_nan=False)
        except ValueError as problem:
            raise BadRequest(f"The body is not valid JSON: {shown(str(problem))}.") from None
        if not isinstance(value, str):
            break
    if not isinstance(value, dict):
        raise BadRequest(f"The body is {named(value)}; a JSON object is expected.")
    refuse_unstorable(value)
    return value


async def read_multipart(request: Request, body: bytes) -> dict[str, Any]:
    """Parse a multipart form: fields as strings, file parts as bytes."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=MAX_PARTS, max_fields=MAX_PARTS, max_part_size=max(len(body), 1)
    )
    try:
        form = await parser.parse()
    except MultiPartException as problem:
        raise BadRequest(f"The multipart form cannot be read: {shown(problem.message)}.") from None
    except (KeyError, LookupError, ValueError) as problem:  # no boundary, an unknown charset, bytes that are not UTF-8
        raise BadRequest(f"The multipart form cannot be read: {shown(str(problem))}.") from None
    fields: dict[str, Any] = {}
    try:
        for name, part in form.multi_items():
            fields[name] = part if isinstance(part, str) else await part.read()
    finally:
        await form.close()
    refuse_unstorable(fields)
    return fields


def unwrap_nested_json(fields: dict[str, Any], kind: type[BaseModel]) -> dict[str, Any]:
    """A form has no objects and lists; clients write them as JSON text."""
    text = text_fields(kind)
    return {
        name: read_part(name, value)
        if isinstance(value, str) and name not in text and value.lstrip().startswith(("{", "["))
        else value
        for name, value in fields.items()
    }


def read_part(name: str, value: str) -> Any:
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as problem:
        raise InvalidField(name, f"is not valid JSON: {shown(str(problem))}") from None


def fields_of(fields: Mapping[str, Any], kind: type[Fields]) -> Fields:
    """Make the task, or whatever `kind` is, of these fields; or raise what names the first wrong one and lists all."""
    given = without_blanks(fields, kind)
    try:
        return kind.model_validate(given)
    except ValidationError as problem:
        found = problem.errors(include_url=False, include_input=False)
        raise invalid_field(found, spelling=reference_spelling(kind)) from None


def without_blanks(fields: Mapping[str, Any], kind: type[BaseModel]) -> dict[str, Any]:
    """Leave out what `null` and `""` say is not given; a required field that is "" is refused."""
    required = required_fields(kind)
    for name in required.keys() & fields.keys():
        if fields[name] == "":
            raise InvalidField(required[name], "must not be empty")
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def invalid_field(problems: list[ErrorDetails], *, spelling: Mapping[str, str]) -> InvalidField:
    """The client's error for what pydantic found, with the names of fields as the reference spells them."""
    found = [{"field": path(problem["loc"], spelling), "problem": sentence(problem)} for problem in problems]
    first = found[0]
    return InvalidField(first["field"], first["problem"], **({"problems": found} if len(found) > 1 else {}))


def path(location: tuple[int | str, ...], spelling: Mapping[str, str]) -> str:
    """`("mask", "areas", 0, "points")` → `mask.areas[0].points`."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{spelling.get(step, step)}" for step in location]
    return "".join(steps).removeprefix(".") or "body"


def sentence(problem: ErrorDetails) -> str:
    template = PROBLEMS.get(problem["type"])
    if template is None:
        return shown(problem["msg"][:1].lower() + problem["msg"][1:])
    return template.format_map(problem.get("ctx", {}))


def refuse_unstorable(value: Any) -> None:
    """Refuse what neither database can store as text, numbers that overflow to infinity, and far too many values."""
    stack: list[tuple[str, Any]] = [("body", value)]
    seen = 0
    while stack:
        name, item = stack.pop()
        if isinstance(item, dict | list):
            seen += len(item)
            if seen > MAX_VALUES:
                raise BadRequest(f"The body holds more than {MAX_VALUES} values.")
        if isinstance(item, str):
            if "\x00" in item or (not item.isascii() and has_surrogate(item)):
                raise InvalidField(shown(name), "holds a character that is not text (NUL or half a surrogate pair)")
        elif isinstance(item, float) and not math.isfinite(item):
            raise InvalidField(shown(name), "must be a finite number")
        elif isinstance(item, dict):
            for key, inner in item.items():
                stack += [("a field's name", key), (key, inner)]
        elif isinstance(item, list):
            stack += [(name, inner) for inner in item]


def has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@lru_cache(maxsize=256)
def required_fields(kind: type[BaseModel]) -> Mapping[str, str]:
    """Every spelling of every required field → the spelling of the reference."""
    return {
        spelling: field.alias or name
        for name, field in kind.model_fields.items()
        if field.is_required()
        for spelling in (name, field.alias or name)
    }


@lru_cache(maxsize=256)
def reference_spelling(kind: type[BaseModel]) -> Mapping[str, str]:
    return {name: field.alias or name for name, field in kind.model_fields.items()}


@lru_cache(maxsize=256)
def text_fields(kind: type[BaseModel]) -> frozenset[str]:
    """Every spelling of the fields that hold text, where `{` begins no object."""
    schemas = kind.model_json_schema(by_alias=False)["properties"]
    return frozenset(
        spelling
        for name, field in kind.model_fields.items()
        if any(choice.get("type") == "string" for choice in (schemas[name], *schemas[name].get("anyOf", ())))
        for spelling in (name, field.alias or name)
    )


def named(value: Any) -> str:
    """What a JSON value is, in a word."""
    if value is None:
        return "null"
    kinds = {str: "a string", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "not an object")


def shown(text: str) -> str:
    """A short, printable piece of a message that may repeat what the client sent."""
    printable = "".join(character if character.isprintable() else "?" for character in text[:200])
    return printable.rstrip(".")
