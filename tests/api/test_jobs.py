import pytest

from tests.api.conftest import Api

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_another_accounts_job_is_answered_byte_for_byte_like_an_unknown_one(each_api: Api) -> None:
    job = await each_api.submit()
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger"), "x-request-id": "same"}

    for method, path in [("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")]:
        foreign = await each_api.client.request(method, f"/v1/job/{job}{path}", headers=stranger)
        unknown = await each_api.client.request(method, f"/v1/job/{UNKNOWN}{path}", headers=stranger)

        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
        assert foreign.headers == unknown.headers

    assert (await each_api.client.get(f"/v1/job/{job}")).json()["status"] == "pending"


async def test_what_cannot_be_an_id_is_a_404(each_api: Api) -> None:
    for job_id in ["x", "%00", "..%2f..", "a" * 500, "%F0%9F%A6%8A", "' OR 1=1 --"]:
        answer = await each_api.client.get(f"/v1/job/{job_id}")

        assert (answer.status_code, answer.json()["code"]) == (404, 404), job_id


@pytest.mark.parametrize(("method", "path"), [("POST", "/cancel"), ("DELETE", "")])
async def test_cancelling_fails_the_job_with_499_and_charges_nothing(each_api: Api, method: str, path: str) -> None:
    job = await each_api.submit()

    first = await each_api.client.request(method, f"/api/v1/job/{job}{path}")
    again = await each_api.client.request(method, f"/api/v1/job/{job}{path}")

    assert first.status_code == again.status_code == 200
    assert (first.json()["status"], first.json()["error"]["code"]) == ("failed", 499)
    assert first.json()["meta"]["usage"]["consume"] == 0
    assert again.json() == first.json()
    assert (await each_api.client.get("/account/balance")).json()["data"]["available_points"] == 100_000


async def test_jobs_are_listed_newest_first_a_page_at_a_time(each_api: Api) -> None:
    made = [await each_api.submit(f"lighthouse {number}") for number in range(5)]
    stranger = await each_api.key_of_new_account("stranger")

    pages: list[list[str]] = []
    cursor = ""
    while True:
        page = (await each_api.client.get("/v1/jobs", params={"limit": 2, "cursor": cursor})).json()
        pages.append([job["job_id"] for job in page["data"]])
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [job for page in pages for job in page] == made[::-1]
    strange = (await each_api.client.get("/v1/jobs", headers={"x-api-key": stranger})).json()
    assert strange == {"data": [], "next_cursor": None, "has_more": False}


async def test_a_list_can_be_narrowed(each_api: Api) -> None:
    jobs = [await each_api.submit() for _ in range(3)]
    await each_api.client.delete(f"/v1/job/{jobs[0]}")

    counts: dict[str, int] = {
        "status=pending": 2,
        "status=failed": 1,
        "status=completed": 0,
        "status=": 3,
        "task_type=diffusion": 3,
        "task_type=remove_background": 0,
        "created_after=2020-01-01T00:00:00Z": 3,
        "created_before=2020-01-01": 0,
        "created_before=1577836800": 0,
        "created_after=2020-01-01T00:00:00%2B02:00&created_before=2999-01-01T00:00:00": 3,
        "limit=1": 1,
    }
    for query, count in counts.items():
        answer = await each_api.client.get(f"/v1/jobs?{query}")
        assert (answer.status_code, len(answer.json().get("data", ()))) == (200, count), query


async def test_a_wrong_filter_is_a_400_that_names_it(each_api: Api) -> None:
    for query in [
        "status=running",
        "limit=0",
        "limit=101",
        "limit=many",
        "created_after=yesterday",
        "created_before=99999999999999999999",
        "task_type=%00",
        "cursor=nonsense",
        "cursor=%F0%9F%A6%8A",
        "cursor=%00",
        "cursor=e30=",
        "cursor=W251bGwsbnVsbF0=",
        "cursor=WzEsIlx1MDAwMCJd",
    ]:
        answer = await each_api.client.get(f"/v1/jobs?{query}")

        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["detail"]["field"] == query.split("=")[0]
