"""Follow-ups: what they inherit, what they cost, what they refuse."""

from typing import Any

import pytest

from brushwork.errors import FollowUpRefused, InvalidField, PromptGrammarError
from brushwork.prompts.canonical import canonical
from brushwork.prompts.prompt import Prompt
from brushwork.tasks import TASKS
from brushwork.tasks.base import Task
from brushwork.tasks.followup import FollowUp
from brushwork.tasks.sources import FromJob, FromUrl, Given, Parent
from tests.tasks.running import parent

JOB = {"jobId": "a", "imageNo": 0}
FOLLOW_UPS = [name for name, task in TASKS.items() if issubclass(task, FollowUp)]


def task_of(name: str, **more: Any) -> Task:
    return TASKS[name].model_validate({**TASKS[name].example, **JOB, **more})


def source(prompt: str, **more: Any) -> list[Given]:
    return [Given("0", 1024, 1024, parent=parent(prompt, **more))]


def settled(name: str, prompt: str, **more: Any) -> FollowUp:
    task = task_of(name, **more).settled(source(prompt))
    assert isinstance(task, FollowUp)
    return task


def variation_of(prompt: str, **more: Any) -> Prompt:
    return settled("variation", prompt, **more).prompt


def test_a_follow_up_inherits_the_prompt_but_not_what_belongs_to_the_source_alone() -> None:
    flags = "--ar 3:2 --seed 5 --s 250 --niji 6 --cref https://e.com/c.png --iw 2 --tile"

    now = variation_of(f"https://e.com/i.png a fox::2 snow:: {flags}")

    assert canonical(now) == "a fox::2 snow:: --stylize 250 --niji 6 --tile"
    assert [segment.weight for segment in now.segments] == [2.0, 1.0]


def test_a_new_prompt_has_the_parameters_of_the_old_one_where_it_is_silent() -> None:
    was = "a fox --s 250 --niji 6 --chaos 10 --ar 3:2"

    assert canonical(variation_of(was, remixPrompt="a wolf")) == "a wolf --chaos 10 --stylize 250 --niji 6"
    assert canonical(variation_of(was, remixPrompt="a wolf --s 9")) == "a wolf --chaos 10 --stylize 9 --niji 6"
    assert canonical(variation_of("a fox --turbo --s 9", remixPrompt="wolf --fast")) == "wolf --stylize 9 --v 7 --fast"


def test_a_new_prompt_of_another_version_holds_alone() -> None:
    assert canonical(variation_of("a fox --niji 6 --s 250", remixPrompt="a wolf --v 6.1")) == "a wolf --v 6.1"
    assert canonical(variation_of("a fox --draft --s 250", remixPrompt="a wolf --v 8")) == "a wolf --v 8"


def test_a_lone_quote_does_not_swallow_what_is_inherited() -> None:
    assert variation_of('a fox --no "x" --s 9', remixPrompt='a "wolf').text == 'a "wolf'
    assert variation_of("a fox --s 9", remixPrompt='a "wolf').params == {"stylize": 9}


def test_a_new_prompt_is_checked_before_anything_happens() -> None:
    with pytest.raises(PromptGrammarError, match="--foo"):
        task_of("remix", remixPrompt="a cat --foo 3").check()


def test_pictures_without_a_prompt_can_be_followed() -> None:
    task = settled("variation", "")

    assert (task.prompt.text, task.price()) == ("", 120)
    assert task.shown_prompt(source("")) == ""


@pytest.mark.parametrize(
    ("name", "more", "fast", "turbo", "draft"),
    [
        ("variation", {}, 120, 240, 120),
        ("upscale", {"type": 0}, 120, 240, 120),
        ("upscale", {"type": 1}, 160, 320, 160),
        ("upscale", {"type": 3}, 120, 240, 120),
        ("pan", {}, 80, 160, 80),
        ("outpaint", {}, 80, 160, 80),
        ("inpaint", {}, 120, 240, 120),
        ("remix", {}, 120, 240, 120),
        ("edit", {}, 120, 240, 120),
        ("enhance", {}, 80, 160, 80),
    ],
)
def test_prices_are_those_of_the_table(name: str, more: dict[str, Any], fast: int, turbo: int, draft: int) -> None:
    prices = [settled(name, f"a fox {flag}", **more).price() for flag in ("", "--turbo", "--draft")]

    assert prices == [fast, turbo, draft]
    assert settled(name, "a fox --turbo", **more).speed == "turbo"


@pytest.mark.parametrize(
    ("name", "points", "turbo"),
    [
        ("upload-paint", 120, 240),
        ("retexture", 120, 240),
        ("blend", 80, 80),
        ("describe", 20, 20),
        ("shorten", 20, 20),
        ("remove-background", 80, 80),
    ],
)
def test_prices_of_what_follows_no_job(name: str, points: int, turbo: int) -> None:
    body = TASKS[name].example

    assert TASKS[name].model_validate(body).price() == points
    assert TASKS[name].model_validate({**body, "remixPrompt": "gold --turbo"}).price() == turbo


def test_dear_parameters_are_paid_again_and_references_only_once() -> None:
    assert settled("variation", "a fox --v 8 --hd").price() == 480
    assert settled("variation", "a fox --oref https://e.com/a.png").price() == 120
    assert settled("remix", "a fox", remixPrompt="a wolf --oref https://e.com/a.png").price() == 240


def test_versions_of_the_pro_plan_stay_with_their_pictures() -> None:
    assert settled("variation", "a fox --v 8").plan == "pro"
    assert settled("remix", "a fox --v 8.1", remixPrompt="a wolf").plan == "pro"
    assert settled("remix", "a fox", remixPrompt="a wolf").plan == "free"


def test_the_seed_is_the_clients_or_a_new_one() -> None:
    assert task_of("variation").seed() is None
    assert settled("variation", "a fox --seed 5").seed() is None
    assert task_of("variation", remixPrompt="a wolf --seed 6").seed() == 6


def test_wishes_name_the_source_then_the_mask_then_the_pictures_of_the_prompt() -> None:
    task = task_of(
        "inpaint", mask={"url": "https://e.com/m.png"}, remixPrompt="a wolf --sref https://e.com/s.png 12", imageNo=2
    )

    assert list(task.wanted()) == [
        FromJob("a", 2),
        FromUrl("https://e.com/m.png", "mask.url"),
        FromUrl("https://e.com/s.png", "remixPrompt"),
    ]


def refused(name: str, prompt: str, **more: Any) -> str:
    return TASKS[name].refusal(parent(prompt, **more)) or ""


@pytest.mark.parametrize("name", ["pan", "outpaint", "inpaint"])
def test_pictures_of_an_omni_reference_are_not_repainted(name: str) -> None:
    assert "--oref" in refused(name, "a fox --oref https://e.com/a.png")
    assert not refused(name, "a fox --cref https://e.com/a.png")


def test_what_comes_from_an_omni_reference_is_one_until_the_prompt_drops_it() -> None:
    given = source("a fox --oref https://e.com/a.png")

    assert "--oref" in task_of("variation").shown_prompt(given)
    assert "--oref" not in task_of("edit").shown_prompt(given)
    assert not refused("edit", "a fox --oref https://e.com/a.png")


@pytest.mark.parametrize("name", ["pan", "outpaint", "inpaint", "upscale"])
@pytest.mark.parametrize("version", ["8", "8.1"])
def test_pictures_of_version_8_are_neither_repainted_nor_upscaled(name: str, version: str) -> None:
    assert f"version {version} " in refused(name, f"a fox --v {version}")
    assert f"version {version} " in refused(name, task_of("remix").shown_prompt(source(f"a fox --v {version}")))
    assert not refused("variation", f"a fox --v {version}")


def test_only_drafts_are_enhanced() -> None:
    assert "--draft" in refused("enhance", "a fox")
    assert "--draft" in refused("enhance", "")
    assert not refused("enhance", "a fox --draft")
    given = source("a fox --draft")
    assert not refused("enhance", task_of("variation").shown_prompt(given))
    for name in ("enhance", "upscale", "pan", "edit", "enhance-upscale"):
        assert refused("enhance", task_of(name).shown_prompt(given))


def test_what_is_large_already_is_not_upscaled_again() -> None:
    assert refused("upscale", "a fox", task="upscale")
    assert refused("upscale", "", task="remove-background")
    assert not refused("upscale", "a fox", task="enhance")
    assert not refused("upscale", "a fox", task="pan")


@pytest.mark.parametrize(
    ("name", "size", "more"),
    [
        ("pan", (2048, 2048), {"direction": 1, "scale": 2.5}),
        ("outpaint", (4096, 100), {"scale": 1.1}),
        ("inpaint", (4098, 100), {}),
        ("upscale", (4098, 100), {}),
        ("upscale", (2050, 100), {"type": 3}),
    ],
)
def test_results_beyond_what_can_be_drawn_are_refused(name: str, size: tuple[int, int], more: dict[str, Any]) -> None:
    with pytest.raises(FollowUpRefused, match="pixels"):
        task_of(name, **more).check_given([Given("0", *size, parent=parent())])
    task_of(name, **more).check_given([Given("0", 1024, 1024, parent=parent())])


def test_an_edit_that_would_change_nothing_is_refused() -> None:
    whole = {"width": 1024, "height": 1024, "x": 0, "y": 0}
    task = task_of("edit", imgPos=whole, mask=None)

    with pytest.raises(InvalidField, match="mask"):
        task.check_given(source("a fox"))
    task.check_given(source("", task="remove-background"))
    task_of("edit", imgPos={**whole, "x": 1}, mask=None).check_given(source("a fox"))


def reroll_of(source: Parent) -> Task:
    task = TASKS["reroll"].model_validate({"jobId": "a"})
    assert list(task.wanted()) == [FromJob("a", None)]
    return task.settled([Given("", parent=source)])


def test_a_reroll_costs_what_it_repeats() -> None:
    diffusion = parent("a fox --v 8 --hd --seed 5", input={"text": "a fox --v 8 --hd --seed 5"})
    variation = parent("a fox", task="variation", input=JOB, given=tuple(source("a fox --turbo")))

    assert (reroll_of(diffusion).price(), reroll_of(diffusion).plan) == (320, "pro")
    assert (reroll_of(variation).price(), reroll_of(variation).speed) == (240, "turbo")


def test_a_reroll_has_a_seed_of_its_own_and_shows_what_it_repeats() -> None:
    task = TASKS["reroll"].model_validate({"jobId": "a"})
    given = [Given("", parent=parent("a fox --seed 5"))]

    assert task.seed() is None
    assert task.shown_prompt(given) == "a fox --seed 5"


def test_what_this_server_cannot_do_any_more_is_not_rerolled() -> None:
    assert refused("reroll", "a fox", task="gone")
    assert not refused("reroll", "a fox")


@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_follow_ups_take_grids_and_single_pictures(name: str) -> None:
    assert TASKS[name].takes == {"grid", "image"}


def test_the_actions_are_the_eight_of_the_reference() -> None:
    actions = {task.action for task in TASKS.values() if task.action}

    assert actions == {"edit", "inpaint", "outpaint", "pan", "remix", "reroll", "upscale", "variation"}
    assert all(task.action in (None, name) for name, task in TASKS.items())
