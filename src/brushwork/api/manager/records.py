"""What happened, for operators: the jobs of an account, its notifications, and the record of changes and refusals."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from brushwork.accounts.audits import AuditKind, page_of_audits
from brushwork.accounts.directory import account_by_id
from brushwork.accounts.notifications import NotificationPage, confirm_notification, page_of_notifications
from brushwork.api.answers import json_answer
from brushwork.api.dependencies import CurrentServices
from brushwork.api.manager.operator import (
    LOOKING,
    TAG,
    AccountId,
    NotificationId,
    Operator,
    PageNumber,
    PageSize,
    RowId,
    blank_is_none,
)
from brushwork.api.periods import Moment, in_seconds
from brushwork.api.views import View, When, moment
from brushwork.jobs.history import Entry, page_of_history

router = APIRouter(tags=[TAG])


class TaskInput(View):
    prompt: str
    originTaskId: str = Field(description="The job it followed up; empty when none")  # noqa: N815  # dashboards' spelling
    index: int | None = Field(description="Of the picture or clip in that job, from 0")


class HistoryDetail(View):
    taskInput: TaskInput  # noqa: N815
    errorMessage: str  # noqa: N815


class HistoryEntry(View):
    id: str = Field(description="As task_id")
    task_id: str = Field(description="The job's id")
    account_id: int
    api_key_id: int | None
    service_mode: str
    task_model: str
    action: str
    usage_type: Literal["point", "credit"]
    usage: int = Field(description="What it cost, or what is held for it; 0 when it failed")
    status: Literal["finished", "failed", "processing"]
    detail: HistoryDetail
    fixed: bool
    created_at: When
    updated_at: When
    deleted_at: str | None

    @classmethod
    def of(cls, entry: Entry) -> "HistoryEntry":
        given = TaskInput(prompt=entry.prompt, originTaskId=entry.origin_id, index=entry.index)
        return cls(
            id=entry.job_id,
            task_id=entry.job_id,
            account_id=entry.account_id,
            api_key_id=entry.key_id,
            service_mode="public",
            task_model="midjourney",
            action=entry.task.replace("-", "_"),
            usage_type=entry.usage_type,
            usage=entry.usage,
            status=entry.status,
            detail=HistoryDetail(taskInput=given, errorMessage=entry.problem),
            fixed=False,
            created_at=moment(entry.created_at),
            updated_at=moment(entry.updated_at),
            deleted_at=None,
        )


class HistoryPageView(View):
    page: int
    size: int
    total: int
    data: list[HistoryEntry]


class HistoryAnswer(View):
    code: int
    message: str
    data: HistoryPageView


class NotificationView(View):
    id: int
    account_id: int
    type: str
    is_confirmed: bool
    message: str
    detail: dict[str, Any] | None
    created_at: When
    updated_at: When


class NotificationPageView(View):
    page: int
    size: int
    total: int
    data: list[NotificationView]


class NotificationsAnswer(View):
    code: int
    message: str
    data: NotificationPageView

    @classmethod
    def of(cls, found: NotificationPage, *, page: int, size: int) -> "NotificationsAnswer":
        views = [
            NotificationView(
                **{**vars(one), "created_at": moment(one.created_at), "updated_at": moment(one.updated_at)}
            )
            for one in found.notifications
        ]
        data = NotificationPageView(page=page, size=size, total=found.total, data=views)
        return cls(code=200, message="success", data=data)


class AuditView(View):
    id: str
    account_id: int | None = Field(description="Whose account was changed; null: nobody's")
    api_key_id: int | None = Field(description="With which key; null: on the command line, or by nobody's")
    kind: AuditKind
    data: dict[str, Any]
    created_at: When


class AuditPageView(View):
    page: int
    size: int
    total: int
    data: list[AuditView]


class AuditsAnswer(View):
    code: int
    message: str
    data: AuditPageView


@router.get(
    "/account/{account_id}/task_histories",
    operation_id="list_task_histories",
    response_model=HistoryAnswer,
    responses=LOOKING,
)
async def get_histories(
    account_id: AccountId, services: CurrentServices, page: PageNumber = None, page_size: PageSize = None
) -> Response:
    """The jobs of an account that are still kept, newest first; older ones are in its statement."""
    number, size = page or 1, page_size or 10
    async with services.database.read() as tx:
        await account_by_id(tx, account_id)
        found = await page_of_history(tx, account_id, page=number, size=size)
    entries = [HistoryEntry.of(entry) for entry in found.entries]
    data = HistoryPageView(page=number, size=size, total=found.total, data=entries)
    return json_answer(HistoryAnswer(code=200, message="success", data=data))


@router.get(
    "/account/{account_id}/notifications",
    operation_id="list_notifications",
    response_model=NotificationsAnswer,
    responses=LOOKING,
)
async def get_notifications(
    account_id: AccountId, services: CurrentServices, page: PageNumber = None, page_size: PageSize = None
) -> Response:
    """What the account was told beyond its jobs, newest first."""
    number, size = page or 1, page_size or 10
    async with services.database.read() as tx:
        await account_by_id(tx, account_id)
        found = await page_of_notifications(tx, account_id, page=number, size=size)
    return json_answer(NotificationsAnswer.of(found, page=number, size=size))


@router.patch(
    "/account/{account_id}/notification/{notification_id}/confirm",
    operation_id="confirm_notification",
    response_model=NotificationsAnswer,
    responses=LOOKING,
)
async def patch_notification(
    account_id: AccountId,
    notification_id: NotificationId,
    services: CurrentServices,
    page: PageNumber = None,
    page_size: PageSize = None,
) -> Response:
    """Note that somebody has read it; answers with the page of notifications that was asked for."""
    number, size = page or 1, page_size or 10
    async with services.database.write() as tx:
        await account_by_id(tx, account_id)
        await confirm_notification(tx, account_id, notification_id, now=time.time())
        found = await page_of_notifications(tx, account_id, page=number, size=size)
    return json_answer(NotificationsAnswer.of(found, page=number, size=size))


@router.get("/v1/audits", operation_id="list_audits", response_model=AuditsAnswer, responses=LOOKING)
async def get_audits(
    operator: Operator,  # noqa: ARG001  # who may
    services: CurrentServices,
    kind: Annotated[AuditKind | None, blank_is_none, Query(description="Only entries of this kind")] = None,
    account_id: Annotated[RowId | None, blank_is_none, Query(description="Only this account's")] = None,
    since: Annotated[Moment, Query(alias="from", description="RFC 3339 or a day; else from the first on")] = None,
    until: Annotated[Moment, Query(alias="to", description="RFC 3339 or a day, not included; else up to now")] = None,
    page: PageNumber = None,
    page_size: PageSize = None,
) -> Response:
    """What operators changed, and what was refused, appealed against, tried in vain or erased, newest first.

    Names no key, no prompt and no picture. An appeal has what was said, and which refusal it is `of`, by which rule.
    """
    number, size = page or 1, page_size or 10
    begin, end = (None if one is None else in_seconds(one) for one in (since, until))
    async with services.database.read() as tx:
        found = await page_of_audits(
            tx, kind=kind, account_id=account_id, page=number, size=size, since=begin, until=end
        )
    views = [AuditView(**{**vars(one), "created_at": moment(one.created_at)}) for one in found.audits]
    data = AuditPageView(page=number, size=size, total=found.total, data=views)
    return json_answer(AuditsAnswer(code=200, message="success", data=data))
