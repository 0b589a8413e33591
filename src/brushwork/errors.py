"""Every error that a client can see.

    BrushworkError
    ├── BadRequest 400
    │   ├── InvalidField            a field of the body is missing or wrong
    │   ├── PromptGrammarError      an unknown, unsupported, removed or conflicting flag
    │   ├── FollowUpRefused         the source job cannot be followed up in this way
    │   └── ImageNotInJob           the source job has no picture of that number
    ├── Unauthorized 401
    ├── InsufficientCredits 402
    │   ├── BudgetExceeded          the key has spent what it may
    │   └── CostCapExceeded         a batch costs more than its own cap
    ├── Forbidden 403
    │   ├── PlanRequired            the account's plan does not include this
    │   ├── ScopeRequired           the key may not do this
    │   ├── ModerationRefused       the operator's policy does not allow this prompt
    │   └── OutputRefused           only in `error` of a job
    ├── NotFound 404
    │   ├── JobNotFound             unknown, or another account's: the same answer
    │   ├── BatchNotFound
    │   ├── FileNotFound
    │   └── RouteNotFound
    ├── MethodNotAllowed 405
    ├── RequestTimeout 408
    ├── Conflict 409
    │   └── StillAnswering          an equal request with this idempotency key is not answered yet
    ├── PayloadTooLarge 413
    │   └── PictureTooLarge         more bytes or pixels than a picture may have
    ├── RangeNotSatisfiable 416     only for downloads
    ├── Unprocessable 422
    │   ├── UnreadablePicture       not a picture, or one we do not take
    │   ├── UnreachablePicture      a URL that gives no picture
    │   └── PromptValueError        a bad value, range or length inside a prompt
    ├── TooManyRequests 429
    ├── JobCancelled 499            only in `error` of a job
    ├── ServerError 500
    │   ├── EngineFailed            only in `error` of a job
    │   └── SourceLost              only in `error` of a job
    ├── NotImplementedHere 501
    ├── Unavailable 503
    └── DeadlineExceeded 504        only in `error` of a job

A class is one HTTP status and one stable `code`; an instance is one sentence for the person who reads it.
This chapter knows nothing of HTTP bodies: `api/views.py` gives an error its JSON.
"""

from typing import Any, ClassVar


class BrushworkError(Exception):
    """An error with a status, a stable code and a sentence that says what was given and what is possible."""

    status: ClassVar[int] = 500
    code: str = "internal_error"
    """Stable, for programs; a class has one, a prompt problem brings its own."""

    def __init__(self, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.message = message
        self.detail: dict[str, Any] = detail


class BadRequest(BrushworkError):
    """The request cannot be understood."""

    status = 400
    code = "bad_request"


class InvalidField(BadRequest):
    """A field of the body is missing or wrong."""

    code = "invalid_field"

    def __init__(self, field: str, problem: str, **detail: Any) -> None:
        super().__init__(f"{field}: {problem}", field=field, **detail)


class PromptGrammarError(BadRequest):
    """A prompt breaks the grammar: an unknown, unsupported, removed or conflicting flag, or misplaced text."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(message, **detail)
        self.code = code


class FollowUpRefused(BadRequest):
    """The source job is unfinished, failed, expired or of a kind that cannot be followed up in this way."""

    code = "follow_up_refused"


class ImageNotInJob(BadRequest):
    """The source job has no picture of that number."""

    code = "image_not_in_job"

    def __init__(self, number: int, *, available: int) -> None:
        message = f"Image {number} was asked for, but the job has {available}. They are numbered from 0."
        super().__init__(message, image_no=number, available=available)


class Unauthorized(BrushworkError):
    """The API key is missing, unknown or revoked."""

    status = 401
    code = "unauthorized"


class InsufficientCredits(BrushworkError):
    """The account cannot pay for this job."""

    status = 402
    code = "insufficient_credits"
    sentence: ClassVar[str] = "This job costs {needed} points, but the account has {available} available."

    def __init__(self, needed: int, available: int) -> None:
        message = self.sentence.format(needed=needed, available=available)
        super().__init__(message, needed=needed, available=available)


class BudgetExceeded(InsufficientCredits):
    """The API key has spent its own budget; the account may have more."""

    code = "budget_exceeded"
    sentence = "This job costs {needed} points, but {available} are left in the budget of this key."


class CostCapExceeded(InsufficientCredits):
    """A batch costs more than the cap it came with; nothing of it was started."""

    code = "cost_cap_exceeded"

    def __init__(self, needed: int, cap: int) -> None:
        BrushworkError.__init__(
            self, f"This batch costs {needed} points, more than its cap of {cap}.", needed=needed, cap=cap
        )


class Forbidden(BrushworkError):
    """The account may not do this."""

    status = 403
    code = "forbidden"


class PlanRequired(Forbidden):
    """The account's plan does not include this."""

    code = "plan_required"


class ScopeRequired(Forbidden):
    """The API key has not the scope that this needs."""

    code = "scope_required"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This key may not do this: it needs the scope {scope!r}.", scope=scope)


class ModerationRefused(Forbidden):
    """The operator's policy does not allow this prompt; nothing was charged."""

    code = "moderation_refused"

    def __init__(self, category: str, *, matched: str, span: tuple[int, int], policy: str, field: str) -> None:
        words = matched if len(matched) <= 64 else f"{matched[:64]}…"
        super().__init__(
            f"{field}: the policy of this server does not allow {words!r} ({category}). Nothing was charged.",
            field=field,
            category=category,
            matched=matched,
            span=list(span),
            policy=policy,
        )


class OutputRefused(Forbidden):
    """A finished picture was refused by the check of this server; nothing was kept or charged."""

    code = "output_refused"

    def __init__(self, category: str, *, image_no: int) -> None:
        super().__init__(
            f"Picture {image_no} was refused by the check of this server ({category}). Nothing was charged.",
            category=category,
            image_no=image_no,
        )


class NotFound(BrushworkError):
    """There is no such thing here."""

    status = 404
    code = "not_found"


class JobNotFound(NotFound):
    """No job of this account has that id. Another account's job gets the same answer, byte for byte."""

    code = "job_not_found"

    def __init__(self) -> None:
        super().__init__("There is no job with this id.")


class BatchNotFound(NotFound):
    """No batch of this account has that id."""

    code = "batch_not_found"

    def __init__(self) -> None:
        super().__init__("There is no batch with this id.")


class FileNotFound(NotFound):
    """The file does not exist, its link has expired, or the link was altered."""

    code = "file_not_found"

    def __init__(self, message: str = "There is no such file, or its link has expired.") -> None:
        super().__init__(message)


class RouteNotFound(NotFound):
    """No endpoint has this path."""

    code = "route_not_found"


class MethodNotAllowed(BrushworkError):
    """The path exists, but not for this method."""

    status = 405
    code = "method_not_allowed"


class RequestTimeout(BrushworkError):
    """The body of the request did not arrive in time."""

    status = 408
    code = "request_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The body did not arrive within {seconds:g} seconds.", seconds=seconds)


class Conflict(BrushworkError):
    """The request contradicts an earlier one."""

    status = 409
    code = "conflict"


class StillAnswering(Conflict):
    """An equal request with the same idempotency key has not been answered yet."""

    code = "still_answering"

    def __init__(self) -> None:
        super().__init__("The first request with this idempotency key is still being answered.", retry_after=5)


class PayloadTooLarge(BrushworkError):
    """The body is larger than the server accepts."""

    status = 413
    code = "payload_too_large"


class PictureTooLarge(PayloadTooLarge):
    """A picture has more bytes or pixels than are taken here."""

    code = "picture_too_large"

    def __init__(self, field: str, problem: str, **detail: Any) -> None:
        super().__init__(f"{field}: {problem}", field=field, **detail)


class RangeNotSatisfiable(BrushworkError):
    """The part of a file that was asked for lies outside it."""

    status = 416
    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes; the range lies outside it.", size=size)


class Unprocessable(BrushworkError):
    """Well formed, but it cannot be processed."""

    status = 422
    code = "unprocessable"


class UnreadablePicture(Unprocessable):
    """A file is not a picture, is damaged, or is of a kind that is not taken here."""

    code = "unreadable_picture"

    def __init__(self, field: str, problem: str, **detail: Any) -> None:
        super().__init__(f"{field}: {problem}", field=field, **detail)


class UnreachablePicture(Unprocessable):
    """A URL is well formed, but no picture can be had from it."""

    code = "unreachable_picture"

    def __init__(self, field: str, problem: str, **detail: Any) -> None:
        super().__init__(f"{field}: {problem}", field=field, **detail)


class PromptValueError(Unprocessable):
    """A prompt is well formed, but a value in it is wrong, out of range, too long or missing."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(message, **detail)
        self.code = code


class TooManyRequests(BrushworkError):
    """Too many requests or queued jobs. `retry_after` is in whole seconds."""

    status = 429
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, **detail: Any) -> None:
        super().__init__(message, retry_after=retry_after, **detail)
        self.retry_after = retry_after


class JobCancelled(BrushworkError):
    """The job was cancelled by its owner; nothing was charged."""

    status = 499
    code = "cancelled"

    def __init__(self, message: str = "The job was cancelled; nothing was charged.") -> None:
        super().__init__(message)


class ServerError(BrushworkError):
    """Our fault. The text of the original exception is logged, never shown."""

    status = 500
    code = "internal_error"

    def __init__(self, message: str = "Something went wrong on the server; it has been logged.", **detail: Any) -> None:
        super().__init__(message, **detail)


class EngineFailed(ServerError):
    """The engine could not finish this job, in all the attempts it is allowed. Nothing was charged."""

    code = "engine_failed"


class SourceLost(ServerError):
    """A picture that the job was to work on is gone from the store. Nothing was charged."""

    code = "source_lost"

    def __init__(self) -> None:
        super().__init__("A picture that this job was to work on is gone from the store; nothing was charged.")


class NotImplementedHere(BrushworkError):
    """Part of the API, but not of this version or this engine."""

    status = 501
    code = "not_implemented"


class Unavailable(BrushworkError):
    """The server cannot serve this right now."""

    status = 503
    code = "unavailable"


class DeadlineExceeded(BrushworkError):
    """The job did not finish before its deadline; nothing was charged."""

    status = 504
    code = "deadline_exceeded"


def all_errors(root: type[BrushworkError] = BrushworkError) -> list[type[BrushworkError]]:
    """Return the whole tree, parents first: for the docs and the tests."""
    return [root, *(error for child in root.__subclasses__() for error in all_errors(child))]
