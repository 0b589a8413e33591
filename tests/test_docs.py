"""The documentation is true: the reference is fresh, links lead somewhere, commands and examples are real."""

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

import brushwork.prompts
import generate_docs
from brushwork.cli.command import app
from brushwork.database.tables import metadata
from brushwork.errors import PromptGrammarError, PromptValueError, all_errors
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.versions import VERSIONS
from brushwork.settings import Settings
from brushwork.tasks import TASKS
from brushwork.tasks.diffusion import Diffusion

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
WRITTEN = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page.parent.name != "reference"]
REFERENCE = ROOT / "docs" / "reference"

FENCE = re.compile(r"^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<picture>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
VARIABLE = re.compile(r"BRUSHWORK_[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
SENT_BODY = re.compile(r"/v1/diffusion.*?-d '(?P<body>\{.*?\})'", re.DOTALL)
DIAGRAMS = ("flowchart", "sequenceDiagram", "stateDiagram-v2", "classDiagram")

IN_EXAMPLES_ONLY = {"BRUSHWORK_SERVER"}


class Fence(NamedTuple):
    page: Path
    language: str
    text: str


def fences(language: str, pages: list[Path] = PAGES) -> list[Fence]:
    found = (Fence(page, match["language"], match["text"]) for page in pages for match in FENCE.finditer(text_of(page)))
    return [fence for fence in found if fence.language == language]


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    return FENCE.sub("", text_of(page))


@cache
def headings(page: Path) -> list[str]:
    return HEADING.findall(prose_of(page))


@cache
def anchors(page: Path) -> set[str]:
    """As GitHub makes them: repeated headings are numbered."""
    seen: dict[str, int] = {}
    found = set()
    for heading in headings(page):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
        seen[anchor] = seen.get(anchor, 0) + 1
    return found


def section(page: str, heading: str) -> str:
    """The text under a heading of a reference page, up to the next one of its rank."""
    _, found, rest = text_of(REFERENCE / page).partition(f"\n## {heading}\n")
    assert found, f"docs/reference/{page} has no heading {heading!r}"
    return rest.partition("\n## ")[0]


def test_the_reference_is_what_the_code_says() -> None:
    assert generate_docs.stale() == []


def test_a_changed_page_is_noticed(tmp_path: Path) -> None:
    for name in generate_docs.PAGES:
        (tmp_path / name).write_text(text_of(REFERENCE / name) + ("!" if name == "errors.md" else ""), encoding="utf-8")
    (tmp_path / "left-over.md").write_text("")

    assert generate_docs.stale(tmp_path) == ["errors.md", "left-over.md"]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_heading_and_an_example_that_works(name: str) -> None:
    variable, _, value = re.findall(r"```sh\n(.+)\n```", section("settings.md", name))[0].partition("=")

    assert variable == f"BRUSHWORK_{name.upper()}"
    assert getattr(Settings.model_validate({name: value}), name) != Settings.model_fields[name].default


def test_every_error_code_has_a_heading_and_an_example() -> None:
    codes = {error.code for error in all_errors()[1:] if error not in (PromptGrammarError, PromptValueError)}
    for code in codes - {PromptGrammarError.code}:
        assert f'"code": "{code}"' in section("errors.md", code)


def test_every_problem_and_warning_of_a_prompt_is_listed() -> None:
    refused, warned = codes_in_the_parser()
    assert len(refused) > 15
    assert len(warned) > 10

    for code in refused:
        assert "```" in section("errors.md", code)
    warnings = section("prompt-parameters.md", "Warnings")
    assert {code for code in warned if f"`{code}`" not in warnings} == set()


def codes_in_the_parser() -> tuple[set[str], set[str]]:
    """The codes that the chapters of the prompt language refuse and warn with."""
    refused: set[str] = set()
    warned: set[str] = set()
    kinds = {"grammar": refused, "bad_value": refused, "warn": warned}
    for chapter in Path(brushwork.prompts.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(chapter.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                kinds.get(name, set()).add(str(node.args[0].value))
    return refused, warned


@pytest.mark.parametrize("name", TASKS)
def test_every_task_type_has_a_heading_a_request_and_an_answer(name: str) -> None:
    text = section("tasks.md", name)

    assert json.dumps(TASKS[name].example, ensure_ascii=False) in text
    assert f'"task_type": "{name.replace("-", "_")}"' in text


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_prompt_parameter_has_a_heading_and_an_example(name: str) -> None:
    assert PARAMETERS[name].example in section("prompt-parameters.md", f"--{name}")


@pytest.mark.parametrize("name", VERSIONS)
def test_every_version_has_a_heading(name: str) -> None:
    assert VERSIONS[name].description in section("versions.md", name)


def test_every_table_and_its_columns_are_described() -> None:
    for table in metadata.tables.values():
        text = section("database.md", table.name)
        assert [column.name for column in table.columns if f"| `{column.name}` |" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    for match in LINK.finditer(prose_of(page)):
        target = match["target"] or match["picture"]
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_relative_to(ROOT), target
        assert file.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(file), f"{target} has no such heading"


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    new = {ROOT / "docs" / "README.md"}
    while new:
        reached |= new
        new = {linked for page in new for linked in linked_pages(page)} - reached

    assert [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in reached] == []


def linked_pages(page: Path) -> Iterator[Path]:
    for match in LINK.finditer(prose_of(page)):
        path = (match["target"] or "").partition("#")[0]
        file = (page.parent / path).resolve()
        if path.endswith(".md") and "://" not in path and file.is_relative_to(ROOT / "docs"):
            yield file


@cache
def command_table() -> dict[str, Any]:
    """Full name → parsed command line of everything that can be run."""

    def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{path} {name}") if hasattr(inner, "commands") else [(f"{path} {name}", inner)]

    return dict(walk(typer.main.get_command(app), "brushwork"))


def test_every_command_has_a_heading_and_an_example() -> None:
    for path in command_table():
        assert f"```sh\n{path}" in section("cli.md", path)


def test_every_command_in_an_example_is_understood() -> None:
    lines = [
        (fence.page, line)
        for fence in fences("sh")
        for line in fence.text.replace("\\\n", " ").splitlines()
        if line.startswith("brushwork ")
    ]
    assert len(lines) > 20

    for page, line in lines:
        command, arguments = command_of(page, shlex.split(line, comments=True))
        command.make_context(command.name, arguments)  # parses, and raises what the command line would say


def test_every_command_in_a_sentence_exists_with_its_options() -> None:
    mentions = [
        (page, mention.split())
        for page in PAGES
        for mention in INLINE.findall(prose_of(page))
        if mention.startswith("brushwork ") and not mention.startswith(("brushwork --", "brushwork imagine '"))
    ]
    assert len(mentions) > 20

    for page, words in mentions:
        if " ".join(words) in (
            "brushwork accounts",
            "brushwork keys",
            "brushwork credits",
            "brushwork codes",
            "brushwork models",
            "brushwork database",
        ):
            continue
        command, arguments = command_of(page, words)
        known = {name for option in command.params for name in option.opts}
        assert {word for word in arguments if word.startswith("--")} <= known, f"{page}: {' '.join(words)}"


def command_of(page: Path, words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words name, and its arguments."""
    for length in (3, 2):
        if command := command_table().get(" ".join(words[:length])):
            return command, words[length:]
    raise AssertionError(f"{page}: there is no command {' '.join(words)!r}")


def test_every_variable_exists() -> None:
    known = {f"BRUSHWORK_{name.upper()}" for name in Settings.model_fields}
    known |= {str(option.envvar) for command in command_table().values() for option in command.params if option.envvar}

    for page in [*PAGES, *(ROOT / "examples").iterdir()]:
        allowed = known | (IN_EXAMPLES_ONLY if page.parent.name == "examples" else set())
        if page.is_file():
            assert set(VARIABLE.findall(text_of(page))) <= allowed, page


def test_json_examples_are_json() -> None:
    examples = fences("json")
    assert len(examples) > 10

    for example in examples:
        json.loads(example.text)


def test_prompt_examples_are_understood() -> None:
    pictures, videos, wrong = fences("prompt"), fences("prompt video"), fences("prompt wrong")
    assert min(len(pictures), len(videos), len(wrong)) > 3

    for example in pictures:
        assert parse_prompt(example.text.strip()).warnings == (), example
    for example in videos:
        parse_prompt(example.text.strip(), task="video")
    for example in wrong:
        with pytest.raises((PromptGrammarError, PromptValueError)):
            parse_prompt(example.text.strip())


def test_bodies_in_examples_are_accepted() -> None:
    bodies = [match["body"] for page in PAGES for match in SENT_BODY.finditer(text_of(page))]
    assert len(bodies) > 3

    for body in bodies:
        Diffusion.model_validate(json.loads(body)).check()


def test_python_and_shell_examples_can_be_read() -> None:
    for example in fences("python"):
        compile(example.text, str(example.page), "exec")
    for file in (ROOT / "examples").glob("*.py"):
        compile(text_of(file), str(file), "exec")
    scripts = [text_of(file) for file in (ROOT / "examples").glob("*.sh")]
    everything = "\n".join([*scripts, *(example.text for example in fences("sh"))])
    read = subprocess.run(["bash", "-n"], input=everything, capture_output=True, text=True, check=False)
    assert read.stderr == ""


def test_diagrams_are_of_a_kind_that_is_drawn() -> None:
    diagrams = fences("mermaid")
    assert len(diagrams) > 8

    for diagram in diagrams:
        assert diagram.text.split()[0] in DIAGRAMS, diagram


def test_written_pages_are_short_and_say_nothing_of_this_machine() -> None:
    for page in WRITTEN:
        text = text_of(page)
        assert text.startswith("# "), page
        assert len(text.splitlines()) < 250, page
    for page in PAGES:
        assert not re.search(r"/(home/(?!you/)|root/|work/|tmp/)", text_of(page)), page
