"""Lint and migration over HTTP: free, explained, and refused with the field to blame."""

from tests.api.conftest import Api


async def test_lint_tells_how_a_prompt_is_understood(api: Api) -> None:
    answer = await api.client.post("/api/v1/prompts/lint", json={"prompt": "a red fox --ar 16:9 --q 0.25"})

    found = answer.json()
    assert answer.status_code == 200
    assert found["ok"]
    assert found["prompt"]["canonical"] == "a red fox --ar 16:9 --quality 1 --v 7"
    assert found["prompt"]["params"] == {"ar": "16:9", "quality": 1.0}
    assert [warning["code"] for warning in found["warnings"]] == ["value_snapped"]


async def test_lint_lists_every_problem_and_is_still_a_200(api: Api) -> None:
    answer = await api.client.post("/v1/prompts/lint", json={"prompt": "a fox --foo 3 --ar 99:1"})

    found = answer.json()
    assert answer.status_code == 200
    assert not found["ok"]
    assert found["prompt"] is None
    assert [problem["param"] for problem in found["problems"]] == ["--foo", "--ar"]


async def test_strict_lint_makes_warnings_problems_and_video_prompts_have_their_own_rules(api: Api) -> None:
    strict = await api.client.post("/v1/prompts/lint", json={"prompt": "a fox --q 0.25", "strict": True})
    video = {"prompt": "https://e.com/a.png --motion high --bs 2", "task": "video"}
    moving = await api.client.post("/v1/prompts/lint", json=video)

    assert not strict.json()["ok"]
    assert moving.json()["prompt"]["params"] == {"motion": "high", "bs": 2}


async def test_a_prompt_is_written_for_another_version_with_reasons_and_prices(api: Api) -> None:
    body = {"prompt": "a garden --turbo --no weeds", "to": "v8.1"}
    found = (await api.client.post("/api/v1/prompts/migrate", json=body)).json()

    assert found["prompt"] == "a garden::1 weeds::-0.5 --v 8.1"
    assert [change["param"] for change in found["changes"]] == ["--version", "--turbo", "--no"]
    assert (found["cost_multiplier_before"], found["cost_multiplier"], found["plan"]) == (2.0, 1.0, "pro")


async def test_bad_requests_name_the_field(api: Api) -> None:
    version = await api.client.post("/v1/prompts/migrate", json={"prompt": "a fox", "to": "5"})
    prompt = await api.client.post("/v1/prompts/migrate", json={"prompt": "a fox --foo", "to": "8"})
    missing = await api.client.post("/v1/prompts/lint", json={})
    stranger = await api.client.post("/v1/prompts/lint", json={"prompt": "x"}, headers={"x-api-key": "wrong"})

    assert (version.status_code, version.json()["detail"]["field"]) == (400, "to")
    assert (prompt.status_code, prompt.json()["detail"]["param"]) == (400, "--foo")
    assert (missing.status_code, missing.json()["detail"]["field"]) == (400, "prompt")
    assert stranger.status_code == 401
