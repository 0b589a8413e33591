"""POST /v1/verify: whose file it is and whether it is as it was made; what strangers learn."""

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from brushwork.app import create_app
from brushwork.errors import Unavailable
from tests.api.conftest import Api, running, settings_for
from tests.api.drawing import drawn, worker_of
from tests.conftest import NewDatabase
from tests.files.chains import Chain, new_chain

CANARY = "a canary in a coal mine"


async def picture_of(api: Api, job: dict[str, Any], number: int = 0) -> bytes:
    return (await api.client.get(job["output"]["image_urls"][number])).content


async def verify(api: Api, data: bytes, **options: Any) -> dict[str, Any]:
    answer = await api.client.post("/api/v1/verify", files={"file": ("picture.png", data)}, **options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_file_of_ours_is_known_however_it_is_sent(each_api: Api) -> None:
    job = await drawn(each_api, CANARY)
    data = await picture_of(each_api, job)

    as_form = await verify(each_api, data)
    as_body = (await each_api.client.post("/api/v1/verify", content=data)).json()
    as_link = (await each_api.client.post("/api/v1/verify", json={"url": job["output"]["image_urls"][0]})).json()

    assert as_form == as_body == as_link
    assert (as_form["verdict"], as_form["job_id"]) == ("unchanged", job["job_id"])
    assert as_form["mark"]["source_type"] == "algorithmicMedia"
    assert as_form["credentials"] is None


async def test_any_changed_byte_is_flagged(api: Api) -> None:
    data = await picture_of(api, await drawn(api, CANARY))

    for at in {*range(0, len(data), max(1, len(data) // 40)), len(data) - 1}:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        found = await verify(api, changed)
        assert found["verdict"] in ("changed", "unknown"), at
        assert found["job_id"] is None
    assert (await verify(api, data + b"\x00"))["verdict"] == "changed"
    assert (await verify(api, data[:-1]))["verdict"] == "changed"


async def test_a_stranger_learns_that_it_was_made_here_and_nothing_else(each_api: Api) -> None:
    data = await picture_of(each_api, await drawn(each_api, CANARY))
    stranger = {"headers": {"x-api-key": await each_api.key_of_new_account("stranger")}}

    found = await verify(each_api, data, **stranger)

    assert (found["verdict"], found["job_id"]) == ("unchanged", None)
    assert "canary" not in str(found)


async def test_an_upload_is_known_to_its_owner_alone(each_api: Api) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((16, 16), 50).save(buffer, "PNG")
    told = (await each_api.client.post("/api/v1/files", files={"file": ("a.png", buffer.getvalue())})).json()
    kept = (await each_api.client.get(told["url"])).content
    stranger = {"headers": {"x-api-key": await each_api.key_of_new_account("stranger")}}

    assert (await verify(each_api, kept))["verdict"] == "uploaded"
    assert (await verify(each_api, kept, **stranger))["verdict"] == "unknown"


async def test_a_file_that_is_too_large_to_send_is_known_by_its_hash(each_api: Api) -> None:
    job = await drawn(each_api, CANARY)
    sha256 = hashlib.sha256(await picture_of(each_api, job)).hexdigest()

    known = (await each_api.client.post("/api/v1/verify", json={"sha256": sha256.upper()})).json()
    other = (await each_api.client.post("/api/v1/verify", json={"sha256": "0" * 64})).json()

    assert (known["verdict"], known["job_id"], known["sha256"]) == ("unchanged", job["job_id"], sha256)
    assert (other["verdict"], other["job_id"], other["mark"]) == ("unknown", None, None)
    for wrong in ({"sha256": "abc"}, {"sha256": ""}, {}):
        answer = await each_api.client.post("/api/v1/verify", json=wrong)
        assert answer.status_code == 400, wrong


async def test_only_links_of_this_server_are_opened(api: Api) -> None:
    answer = await api.client.post("/api/v1/verify", json={"url": "http://127.0.0.1:9/picture.png"})

    assert answer.status_code == 400
    assert answer.json()["detail"]["field"] == "url"


@pytest.fixture
async def signing(tmp_path: Path, new_sqlite: NewDatabase) -> AsyncIterator[Api]:
    certificate, key = new_chain().written(tmp_path)
    settings = settings_for(tmp_path / "data", new_sqlite())
    async with running(settings.model_copy(update={"c2pa_certificate": certificate, "c2pa_key": key})) as api:
        yield api


async def test_a_signed_file_of_ours_is_trusted_and_a_changed_one_is_not(signing: Api) -> None:
    data = await picture_of(signing, await drawn(signing, CANARY))

    found = await verify(signing, data)
    assert found["verdict"] == "unchanged"
    assert found["credentials"]["state"] == "trusted"
    assert found["credentials"]["issuer"] == "Example Studio"
    verdicts = set()
    for at in range(0, len(data), max(1, len(data) // 60)):
        verdicts.add((await verify(signing, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]))["verdict"])
    assert "unchanged" not in verdicts
    assert "changed" in verdicts


async def test_what_cannot_sign_stops_the_server(tmp_path: Path, new_sqlite: NewDatabase) -> None:
    settings = settings_for(tmp_path / "data", new_sqlite())
    chain = Chain(new_chain().certificates, new_chain().key)
    certificate, key = chain.written(tmp_path)
    for wrong, reason in (
        ({"c2pa_certificate": certificate}, "belong together"),
        ({"c2pa_certificate": certificate, "c2pa_key": str(tmp_path / "none.pem")}, "none.pem"),
        ({"c2pa_certificate": certificate, "c2pa_key": key}, "does not belong"),
        ({"c2pa_certificate": certificate, "c2pa_key": key, "provenance": "none"}, "BRUSHWORK_PROVENANCE"),
    ):
        with pytest.raises(Unavailable, match=reason):
            create_app(settings.model_copy(update=wrong))


@pytest.mark.parametrize("level", ["none", "minimal", "full"])
async def test_only_at_full_a_file_tells_its_prompt(tmp_path: Path, new_sqlite: NewDatabase, level: str) -> None:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"provenance": level})
    async with running(settings) as api:
        job = await drawn(api, f"{CANARY} --seed 7")
        data = await picture_of(api, job)

    assert (CANARY.encode() in data) == (level == "full")
    assert (b"Brushwork" in data) == (level != "none")


async def test_the_hash_of_a_file_is_kept_when_it_is_published(each_api: Api) -> None:
    import hashlib

    import sqlalchemy as sa

    from brushwork.database.tables import files

    job = await drawn(each_api, CANARY)
    async with each_api.services.database.read() as tx:
        kept = (await tx.execute(sa.select(files.c.sha256).where(files.c.job_id == job["job_id"]))).scalars().all()

    made = [await picture_of(each_api, job, number) for number in range(4)]
    assert {hashlib.sha256(data).hexdigest() for data in made} <= set(kept)
    assert None not in kept


async def test_a_worker_is_built_with_what_the_settings_want(api: Api) -> None:
    assert worker_of(api).provenance.level == "minimal"
