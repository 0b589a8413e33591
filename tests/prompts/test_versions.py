"""Every parameter on every version, against a table written by hand from the API's own comparison of its models."""

import pytest

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt, Task
from brushwork.prompts.refused import REFUSED
from brushwork.prompts.versions import VERSIONS, required_plan
from tests.prompts.reading import reading

COLUMNS = ("6", "6.1", "7", "8", "8.1", "niji 6", "video")

# y: accepted · n: 400 unsupported_for_version · -: accepted without effect · r: 422 out_of_range
COMPARISON = {
    "--ar 3:2": "y y y y y y y",
    "--raw": "y y y y y y y",
    "--style raw": "y y y y y y y",
    "--fast": "y y y y y y y",
    "--turbo": "y y y n n y y",
    "--tile": "y y y y y y n",
    "--chaos 10": "y y y y y y n",
    "--seed 10": "y y y y y y n",
    "--stop 50": "y y y n n y n",
    "--weird 10": "y y y y y y n",
    "--stylize 10": "y y y y y y n",
    "--q 1": "y y y y n y n",
    "--hd": "n n n y - n n",
    "--iw 1": "y y y y y y n",
    "--no fog": "n y y y n n n",
    "--sref 1234": "y y y y y y n",
    "--sw 10": "y y y y y y n",
    "--sv 3": "y y y r y y n",
    "--sv 6": "r r r y r r n",
    "--oref http://e.com/a.png": "n n y y n n n",
    "--ow 10": "n n y y n n n",
    "--cref http://e.com/a.png": "y y y n n y n",
    "--cw 10": "y y y n n y n",
    "--draft": "n n y n n n n",
    "--exp 10": "n n y y y n n",
    "--p": "n n y y y n n",
}

QUALITIES = {
    # written: what becomes of it on 6, 6.1, 7, 8, niji 6
    ".25": (1, 0.5, 1, 1, 0.5),
    ".5": (1, 0.5, 1, 1, 0.5),
    "1": (1, 1, 1, 1, 1),
    "2": (2, 2, 2, 1, 2),
    "4": (2, 2, 4, 4, 2),
}

CELLS = [
    (flag, version, cell)
    for flag, row in COMPARISON.items()
    for version, cell in zip(COLUMNS, row.split(" "), strict=True)
]


def asked(flags: str, version: str) -> Prompt:
    task: Task = "video" if version == "video" else "image"
    return parse_prompt(f"http://e.com/b.png a cat {flags} {VERSIONS[version].flag}", task=task)


@pytest.mark.parametrize(("flag", "version", "cell"), CELLS, ids=[f"{f} on {v}" for f, v, _ in CELLS])
def test_each_version_knows_its_parameters(flag: str, version: str, cell: str) -> None:
    name = flag.split(" ")[0]
    if cell in "y-":
        prompt = asked(flag, version)

        assert prompt.version == version
        assert ("ignored_parameter" in [warning.code for warning in prompt.warnings]) == (cell == "-")
        assert len(prompt.params) + len(prompt.no) == (cell == "y")
        return

    with pytest.raises((PromptGrammarError, PromptValueError)) as refused:
        asked(flag, version)

    expected = {"n": (400, "unsupported_for_version"), "r": (422, "out_of_range")}[cell]
    assert (refused.value.status, refused.value.code) == expected
    assert refused.value.detail["param"] == name
    assert name in refused.value.message


def test_the_table_above_has_every_parameter() -> None:
    tested = {name.removeprefix("--") for row in COMPARISON for name in [row.split(" ")[0]]}
    chosen_or_filmed = {"version", "niji", "motion", "bs", "loop", "end", "video"}

    missing = [row.name for row in PARAMETERS.values() if not tested.intersection((row.name, *row.aliases))]

    assert set(missing) == chosen_or_filmed


@pytest.mark.parametrize("written", QUALITIES)
def test_quality_snaps_to_the_nearest_the_version_has(written: str) -> None:
    for version, expected in zip(("6", "6.1", "7", "8", "niji 6"), QUALITIES[written], strict=True):
        prompt = parse_prompt(f"x --q {written} {VERSIONS[version].flag}")

        assert prompt.params == {"quality": expected}
        assert [warning.code for warning in prompt.warnings] == (
            [] if expected == float(written) else ["value_snapped"]
        )


@pytest.mark.parametrize("flag", ["--q 1", "--quality 2", "--cref http://e.com/a", "--cw 1", "--oref http://e.com/a"])
def test_what_8_1_removed_is_refused_by_name(flag: str) -> None:
    assert reading(f"x {flag} --v 8.1") == f"400 unsupported_for_version {flag.split(' ')[0]}"
    assert reading(f"x --v 8.1 {flag}") == f"400 unsupported_for_version {flag.split(' ')[0]}"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_parameters_are_always_refused(name: str) -> None:
    for version in COLUMNS:
        with pytest.raises(PromptGrammarError) as refused:
            asked(f"--{name}", version)

        removed = name == "sd" and version == "8.1"
        assert refused.value.code == ("unsupported_for_version" if removed else "unsupported_parameter")
        assert refused.value.detail["param"] == f"--{name}"


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=PARAMETERS)
def test_the_example_of_each_parameter_works_and_uses_it(parameter: object) -> None:
    row = PARAMETERS[getattr(parameter, "name")]  # noqa: B009  # parametrize hides the type
    task: Task = "video" if row.versions == {"video"} else "image"

    prompt = parse_prompt(row.example, task=task, strict=True)

    assert any(f"{spelling} " in f"{row.example} " for spelling in row.spellings)
    chosen = {"version": "6.1", "niji": "niji 6"}
    if row.name in chosen:
        assert prompt.version == chosen[row.name]
    elif row.name == "no":
        assert prompt.no
    else:
        assert ("raw" if row.name == "style" else row.name) in prompt.params


def test_8_and_8_1_need_the_pro_plan() -> None:
    assert {name for name in VERSIONS if required_plan(name) == "pro"} == {"8", "8.1"}
    assert parse_prompt("x --v 8").plan == "pro"
    assert parse_prompt("x").plan == "free"


def test_8_and_8_1_have_no_canvas_work_and_no_upscale() -> None:
    for name in ("8", "8.1"):
        assert VERSIONS[name].lacks == {"inpaint", "outpaint", "pan", "upscale"}
    for name in ("6", "6.1", "7", "niji 6"):
        assert not VERSIONS[name].lacks


@pytest.mark.parametrize(
    ("flags", "cost"),
    [
        ("--turbo", 2),
        ("--draft", 0.5),
        ("--draft --turbo", 1),
        ("--oref http://e.com/a", 2),
        ("--q 4", 1),
        ("--v 6 --turbo", 2),
        ("--niji --turbo", 2),
        ("--v 8", 1),
        ("--v 8 --hd", 4),
        ("--v 8 --q 4", 4),
        ("--v 8 --hd --q 4", 16),
        ("--v 8 --sref 1 --sv 6", 4),
        ("--v 8 --oref http://e.com/a --hd", 8),
        ("--v 8 --q 2", 1),
        ("--v 8.1 --hd", 1),
        ("--v 8.1 --exp 5 --p", 1),
    ],
)
def test_multipliers_multiply(flags: str, cost: float) -> None:
    assert parse_prompt(f"x {flags}").cost_multiplier == cost
