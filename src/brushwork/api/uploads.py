"""POST /v1/files: a picture of the client's own, cleaned and kept, as a URL for wherever a URL is asked for."""

import time

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_bytes, read_multipart
from brushwork.api.dependencies import CurrentServices, Generating
from brushwork.api.once import Once
from brushwork.api.openapi import refusals
from brushwork.api.views import View, moment
from brushwork.errors import BadRequest, InvalidField
from brushwork.files.links import rounded

router = APIRouter(tags=["files"], route_class=Once)

FIELD = "file"
BARE = ("image/", "application/octet-stream")
"""Content types of a body that is the picture itself."""

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary", "description": "PNG, JPEG or WebP"}},
                },
            },
            **{
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("image/png", "image/jpeg", "image/webp")
            },
        },
    }
}


class UploadView(View):
    """A picture that is kept for this account, and the link to it."""

    id: str
    url: str = Field(description="Usable wherever the API takes the URL of a picture, and by anyone who has it")
    width: int
    height: int
    content_type: str
    expires_at: str = Field(description="When the link and the file end", json_schema_extra={"format": "date-time"})


@router.post(
    "/v1/files",
    operation_id="upload_file",
    response_model=UploadView,
    responses=refusals(400, 401, 408, 413, 422, 429, 500, 503),
    openapi_extra=BODY,
)
async def upload_file(request: Request, caller: Generating, services: CurrentServices) -> Response:
    """Upload a picture, as a form with a part named `file` or as the body itself, and get a URL for it."""
    data = await read_picture_bytes(request, limit=services.max_body_bytes)
    picture = await services.pictures.clean(data, field=FIELD)
    now = time.time()
    ends = rounded(now + services.jobs.rules.result_seconds)
    size = (picture.width, picture.height)
    file = await services.files.keep(caller.account.id, picture.png, size=size, now=now, ends=ends)
    return json_answer(
        UploadView(
            id=file.id,
            url=services.files.links.link(file.id, file.content_type, now=now, expires=ends),
            width=picture.width,
            height=picture.height,
            content_type=file.content_type,
            expires_at=moment(ends),
        )
    )


async def read_picture_bytes(request: Request, *, limit: int) -> bytes:
    body = await read_bytes(request, limit=limit)
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith(BARE):
        return body
    if not kind.startswith("multipart/form-data"):
        raise BadRequest(
            "Send the picture as multipart/form-data in a part named file, or as the body, with its image/… type."
        )
    part = (await read_multipart(request, body)).get(FIELD)
    if part is None:
        raise InvalidField(FIELD, "is required: the part of the form that holds the picture")
    if isinstance(part, str):
        raise InvalidField(FIELD, "must be a file, with a file name, not a text field")
    return bytes(part)
