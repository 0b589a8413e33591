"""POST /v1/verify: whether a file is one that this server made, and whether it still is as it was made.

A file is known by the hash of its bytes, so whoever asks has the file already. Its owner learns of the job; anybody
else with a key only that it was made here. What was uploaded here is known to its owner alone.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.api.answers import json_answer
from brushwork.api.bodies import fields_of, read_bytes, read_json_object, read_multipart
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Services
from brushwork.api.openapi import refusals
from brushwork.api.views import View
from brushwork.database.tables import files as files_table
from brushwork.errors import InvalidField
from brushwork.files.containers import kind_of
from brushwork.files.pictures import OWN_BYTES
from brushwork.files.provenance import mark_in
from brushwork.files.signing import READABLE, Credentials, credentials_in, has_manifest, is_installed
from brushwork.files.store import digest

router = APIRouter(tags=["files"])

Verdict = Literal["unchanged", "signed", "changed", "uploaded", "unknown"]

MESSAGES: Mapping[Verdict, str] = {
    "unchanged": "This server made the file, and not one byte of it has changed.",
    "signed": "No file kept here has these bytes, but its content is as this server's certificate signed it.",
    "changed": (
        "It says that Brushwork made it, but no file kept here has these bytes: it was changed, was made by another "
        "server, or is not kept here any more."
    ),
    "uploaded": "You uploaded this picture; it was not made here.",
    "unknown": "Nothing in it says that Brushwork made it, and no file kept here has these bytes.",
}

NOT_BY_HASH = "No file kept here has this hash. What a changed file says of itself is only seen in the file."

READERS = ThreadPoolExecutor(1, "credentials")
"""Manifests of strangers are read one at a time: whoever sends many waits for himself."""

SHA256 = "^[0-9a-fA-F]{64}$"
PLAIN = {"type": "string", "format": "binary"}
LINK = "http://127.0.0.1:8080/files/789320d34b2046d3a8046165a079176a.png?expires=1763002800&signature=5f0c7e6d9b1a4c38"
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": PLAIN}},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "url": {"type": "string"},
                        "sha256": {"type": "string", "pattern": SHA256},
                    },
                },
                "example": {"url": LINK},
            },
            "application/octet-stream": {"schema": PLAIN},
        },
    }
}


class VerifyBody(BaseModel):
    """A file of this server by its link, or any file by its hash."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str | None = None
    sha256: Annotated[str, Field(pattern=SHA256)] | None = None


class MarkView(View):
    """What a file says of itself. Anybody can write that into a file; only the verdict says whether it is so."""

    software: str
    source_type: str = Field(description="In the words of the IPTC, such as trainedAlgorithmicMedia")


class CredentialsView(MarkView):
    """What the signed manifest in a file says (C2PA)."""

    state: str = Field(description="trusted: by this server's certificate; valid: by another one; invalid: changed")
    issuer: str
    problems: list[str] = Field(description="C2PA's own codes")


class VerifyView(View):
    """What is known of a file."""

    verdict: Verdict
    message: str
    sha256: str
    job_id: str | None = Field(description="Of your own job that made it; null for anybody else")
    mark: MarkView | None
    credentials: CredentialsView | None


@router.post(
    "/v1/verify",
    operation_id="verify_file",
    response_model=VerifyView,
    responses=refusals(400, 401, 403, 404, 408, 413, 500, 503),
    openapi_extra=BODY,
)
async def verify_file(request: Request, account: CurrentAccount, services: CurrentServices) -> Response:
    """Say whether a file was made here and is unchanged. Send a form, the file itself, a link to it, or its SHA-256."""
    given = await read_given(request, services)
    if isinstance(given, str):
        sha256, mark, credentials = given, None, None
    else:
        sha256, mark = await asyncio.to_thread(lambda: (digest(given), mark_in(given)))
        credentials = await read_credentials(given, services.c2pa_anchors)
    row = await known_file(services, account.id, sha256)
    verdict = verdict_of(row, says_so=mark is not None, credentials=credentials)
    is_own_job = row is not None and row.account_id == account.id
    return json_answer(
        VerifyView(
            verdict=verdict,
            message=NOT_BY_HASH if isinstance(given, str) and row is None else MESSAGES[verdict],
            sha256=sha256,
            job_id=row.job_id if is_own_job else None,
            mark=None if mark is None else MarkView(software=mark.software, source_type=mark.source_type),
            credentials=None if credentials is None else view_of(credentials),
        )
    )


async def read_given(request: Request, services: Services) -> bytes | str:
    """The bytes to look at, or only their hash: a file may be larger than a request."""
    body = await read_bytes(request, limit=services.max_body_bytes)
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("multipart/form-data"):
        part = (await read_multipart(request, body)).get("file")
        if not isinstance(part, bytes):
            raise InvalidField("file", "is required: the part of the form that holds the file, with a file name")
        return part
    if "json" not in kind:
        return body
    fields = fields_of(read_json_object(body), VerifyBody)
    if fields.sha256:
        return fields.sha256.lower()
    if not fields.url:
        raise InvalidField("url", "or sha256 is required")
    file = await services.files.open_link(fields.url, now=time.time())
    if file is None:
        raise InvalidField("url", "must be a link to a file of this server; send any other file itself")
    if file.size > OWN_BYTES:
        raise InvalidField("url", f"leads to a file of {file.size} bytes; at most {OWN_BYTES} are looked at")
    return b"".join([part async for part in file.read()])


async def known_file(services: Services, account_id: int, sha256: str) -> Any:
    """The file with these bytes: the account's own first, then anybody's that was made here."""
    is_own = files_table.c.account_id == account_id
    shown = sa.select(files_table.c.account_id, files_table.c.job_id).where(
        files_table.c.sha256 == sha256, sa.or_(is_own, files_table.c.job_id.is_not(None))
    )
    is_made = files_table.c.job_id.is_not(None)
    made_first = sa.case((is_own & is_made, 0), (is_made, 1), else_=2)
    async with services.database.read() as tx:
        return (await tx.execute(shown.order_by(made_first, files_table.c.created_at).limit(1))).first()


async def read_credentials(data: bytes, anchors: bytes) -> Credentials | None:
    kind = READABLE.get(kind_of(data) or ("MP4" if data[4:8] == b"ftyp" else ""))
    if kind is None or not (has_manifest(data) and is_installed()):
        return None
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(READERS, lambda: credentials_in(data, kind=kind, anchors=anchors))


def verdict_of(row: Any, *, says_so: bool, credentials: Credentials | None) -> Verdict:
    if row is not None:
        return "unchanged" if row.job_id else "uploaded"
    if credentials is not None and credentials.state == "trusted":
        return "signed"
    claims = credentials is not None and credentials.software.startswith("Brushwork")
    return "changed" if says_so or claims else "unknown"


def view_of(found: Credentials) -> CredentialsView:
    return CredentialsView(
        software=found.software,
        source_type=found.source_type,
        state=found.state,
        issuer=found.issuer,
        problems=list(found.problems),
    )
