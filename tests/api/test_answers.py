import inspect
import json
from typing import Any

import pytest

from brushwork.api.answers import error_answer
from brushwork.errors import BrushworkError, StillAnswering, TooManyRequests, all_errors

LEAVES = [error for error in all_errors() if error is not BrushworkError]


def an_error(kind: type[BrushworkError]) -> BrushworkError:
    """An error of this class, whatever its constructor asks for."""
    values: dict[str, Any] = {"message": "a sentence", "field": "text", "problem": "is required", "code": "a_code"}
    values |= {"span": (0, 4), "matched": "gore"}
    parameters = inspect.signature(kind).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return kind(
        *[values.get(p.name, 7) for p in needed if p.kind is not p.KEYWORD_ONLY],
        **{p.name: values.get(p.name, 7) for p in needed if p.kind is p.KEYWORD_ONLY},
    )


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_error_has_its_status_and_the_flat_and_the_nested_body(kind: type[BrushworkError]) -> None:
    error = an_error(kind)

    answer = error_answer(error)
    body = json.loads(bytes(answer.body))

    flat = {"code": kind.status, "message": error.message, "raw_message": "", "detail": body["detail"]}
    assert answer.status_code == kind.status
    assert body == {**flat, "error": flat}
    assert body["detail"]["code"] == error.code
    assert body["message"]


def test_a_client_that_asked_too_often_is_told_when_to_come_back() -> None:
    assert error_answer(TooManyRequests("slow down", retry_after=7)).headers["retry-after"] == "7"
    assert error_answer(StillAnswering()).headers["retry-after"] == "5"
