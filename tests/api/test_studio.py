"""The studio: that its page and all it is made of are served, safely, and that its parts fit together."""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from brushwork.api.studio import ASSETS, CONTENT_TYPES
from brushwork.tasks import TASKS
from brushwork.tasks.base import Task
from tests.api.conftest import Api

NAMES = sorted(ASSETS)
MODULES = [name for name in NAMES if name.endswith(".js")]

ALL_TOGETHER = 110_000
"""Bytes. Small enough to be read in an evening, and to arrive before it is missed."""


def text_of(name: str) -> str:
    return ASSETS[name].body.decode()


class Page(HTMLParser):
    """The ids of the page, what it refers to, and what a strict policy would forbid in it."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.forbidden: list[str] = []
        self.labelled: set[str] = set()
        self.feed(text_of("index.html"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in ("src", "href") and value]
        self.forbidden += [name for name in given if name.startswith("on") or name == "style"]
        self.forbidden += [tag] if tag == "style" or (tag == "script" and "src" not in given) else []
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))


@pytest.mark.parametrize("path", ["/", "/studio", "/studio/"])
async def test_the_page_answers_at_the_root_and_at_studio(api: Api, path: str) -> None:
    answer = await api.client.get(path, headers={"x-api-key": ""})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize("name", NAMES)
async def test_every_asset_is_served_with_its_type_and_may_not_be_taken_for_another(api: Api, name: str) -> None:
    answer = await api.client.get(f"/studio/{name}")

    assert answer.status_code == 200
    assert answer.content == ASSETS[name].body
    assert answer.headers["content-type"] == CONTENT_TYPES[Path(name).suffix]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_policy_lets_the_page_load_and_reach_nothing_but_this_server(api: Api) -> None:
    answer = await api.client.get("/studio")

    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"


async def test_a_browser_that_has_the_file_is_not_sent_it_again(api: Api) -> None:
    first = await api.client.get("/studio/app.js")
    again = await api.client.get("/studio/app.js", headers={"if-none-match": first.headers["etag"]})
    older = await api.client.get("/studio/app.js", headers={"if-none-match": '"another"'})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (older.status_code, older.content) == (200, first.content)


async def test_head_is_answered_like_get_without_the_body(api: Api) -> None:
    answer = await api.client.head("/studio")

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(ASSETS["index.html"].body)


@pytest.mark.parametrize(
    "path",
    [
        "/studio/missing.js",
        "/studio/studio.py",
        "/studio/..%2fsettings.py",
        "/studio/%2e%2e%2fsettings.py",
        "/studio/..%5csettings.py",
        "/studio/%2fetc%2fpasswd",
        "/studio/app.js%00",
        "/studio/sub/app.js",
        "/studio/INDEX.HTML",
    ],
)
async def test_no_path_leads_out_of_the_studio(api: Api, path: str) -> None:
    answer = await api.client.get(path)

    assert answer.status_code == 404
    assert answer.json()["code"] == 404


async def test_the_studio_is_no_part_of_the_described_api(api: Api) -> None:
    described = (await api.client.get("/openapi.json")).json()["paths"]

    assert described
    assert not [path for path in described if "studio" in path or path == "/"]


def test_the_table_holds_every_file_of_the_folder_and_the_package_ships_them() -> None:
    shipped = {entry.name for entry in files("brushwork").joinpath("studio").iterdir()}

    assert shipped == set(NAMES)
    assert "index.html" in shipped


def test_the_whole_studio_is_small() -> None:
    assert sum(len(asset.body) for asset in ASSETS.values()) < ALL_TOGETHER


@pytest.mark.parametrize("name", NAMES)
def test_no_asset_names_another_server(name: str) -> None:
    text = text_of(name).replace("http://www.w3.org/2000/svg", "")  # a name, not an address

    assert not re.findall(r"(?:https?:|wss?:)?//[A-Za-z0-9.-]+\.[A-Za-z]{2,}|@import|url\(", text)


def test_everything_the_page_refers_to_is_served() -> None:
    links = Page().links

    assert "/studio/app.js" in links
    assert [link for link in links if link.removeprefix("/studio/") not in NAMES] == []


def test_every_module_imports_only_modules_that_are_served() -> None:
    imports = {name: re.findall(r'from "\./([^"]+)"', text_of(name)) for name in MODULES}

    assert {name for names in imports.values() for name in names} <= set(MODULES)
    assert not [name for name in MODULES if re.search(r'from "(?!\./)|\bimport\(|\brequire\(', text_of(name))]


def test_every_name_that_is_imported_is_exported_there() -> None:
    pattern = re.compile(r'import \{([^}]+)\} from "\./([^"]+)"')
    wanted = [
        (module, name.strip())
        for importer in MODULES
        for names, module in pattern.findall(text_of(importer))
        for name in names.split(",")
    ]

    exported = r"export (?:async )?(?:function|const|class|let) {}\b"
    assert len(wanted) > 20
    assert [pair for pair in wanted if not re.search(exported.format(pair[1]), text_of(pair[0]))] == []


def test_every_id_the_modules_ask_for_is_on_the_page_once() -> None:
    ids = Page().ids
    wanted = {found for name in MODULES for found in re.findall(r'(?:byId|getElementById)\("([^"]+)"\)', text_of(name))}

    assert len(ids) == len(set(ids))
    assert "prompt" in wanted
    assert wanted <= set(ids)


def test_the_page_has_no_inline_script_or_style_and_names_its_fields() -> None:
    page = Page()

    assert page.forbidden == []
    assert {"key", "prompt"} <= page.labelled


@pytest.mark.parametrize("name", MODULES)
def test_text_never_becomes_html_or_code(name: str) -> None:
    dangerous = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"on|srcdoc"
    )

    assert not re.findall(dangerous, text_of(name))


# ── the tools, held against the tasks they ask for ──

LEFT_OUT = {"edit", "upload-paint"}
"""Image tasks that need a canvas to be laid out, which the studio has not."""
ASKED_ELSEWHERE = {"diffusion", "reroll", "blend", "shorten"}
"""By the prompt, a job's own button, the tray and the button beside the prompt."""

TOOLS: list[dict[str, Any]] = json.loads(
    re.search(r"export const TOOLS = (\[.*?\n\]);", text_of("tools.js"), re.DOTALL)[1]  # type: ignore[index]
)
AREA = {"width": 500, "height": 500, "points": [10, 10, 10, 90, 90, 90]}


def name_of(tool: dict[str, Any]) -> str:
    return f"{tool['group']}, {tool['label']}"


def request_of(tool: dict[str, Any]) -> dict[str, Any]:
    """As `bodyOf` puts it together."""
    by_job = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822", "imageNo": 0}
    source = by_job if tool["by"] == "job" else {tool["by"]: "http://brushwork.test/files/a.png"}
    mask = {"mask": {"areas": [AREA]}} if tool["task"] == "inpaint" else {}
    return {**source, **tool["body"], **mask, **({"remixPrompt": "a fox"} if "words" in tool else {})}


def task_of(tool: dict[str, Any], body: dict[str, Any]) -> Task:
    task: Task = TASKS[tool["task"]].model_validate(body)
    task.check()
    return task


@pytest.mark.parametrize("tool", TOOLS, ids=name_of)
def test_every_tool_makes_a_request_that_its_task_takes_whole_at_the_price_it_names(tool: dict[str, Any]) -> None:
    body = request_of(tool)
    task = task_of(tool, body)

    understood = task.model_dump(by_alias=True)
    assert {name: understood[name] for name in body if name != "mask"} == {
        name: value for name, value in body.items() if name != "mask"
    }
    assert task.price() == tool["points"]


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.get("words") != "must"], ids=name_of)
def test_a_tool_that_needs_no_words_is_taken_without(tool: dict[str, Any]) -> None:
    body = {name: value for name, value in request_of(tool).items() if name != "remixPrompt"}

    assert task_of(tool, body).prompt_text == tool["body"].get("prompt", "")


@pytest.mark.parametrize("tool", TOOLS, ids=name_of)
def test_a_tool_is_offered_where_the_job_says_so_under_the_name_of_its_task(tool: dict[str, Any]) -> None:
    is_listed = tool["by"] == "job" and not tool.get("drafts") and not tool.get("always")

    assert TASKS[tool["task"]].action == (tool["task"] if is_listed else None)


def test_every_image_task_has_its_button() -> None:
    others = {name for name, task in TASKS.items() if "video" not in task.takes}

    assert {tool["task"] for tool in TOOLS} | ASKED_ELSEWHERE | LEFT_OUT == others


def test_clips_have_the_buttons_that_their_job_offers() -> None:
    films = text_of("films.js")
    offered = set(re.findall(r'\["(\w+)", "[\w ]+"\]', films))
    asked = dict(re.findall(r'(\w+): \(job, number\) => \["([\w-]+)"', films))

    assert offered == asked.keys()
    assert {TASKS[task].video_action: task for task in asked.values()} == asked
    assert {name for name, task in TASKS.items() if task.video_action} == set(asked.values())


def test_the_studio_knows_how_many_pictures_become_of_a_task() -> None:
    table = re.search(r"const PICTURES = \{(.*?)\};", text_of("job.js"))[1]  # type: ignore[index]
    counts = {name: int(count) for name, count in re.findall(r"(\w+): (\d)", table)}
    usual = {"grid": 4, "image": 1, "text": 0}

    assert {name: counts.get(name.replace("-", "_"), 4) for name, task in TASKS.items() if task.makes in usual} == {
        name: usual[task.makes] for name, task in TASKS.items() if task.makes in usual
    }
