"""Running each task: which rows an engine is asked for, and what becomes of what it draws."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from brushwork.engines.base import NullSink, Op, Place, Row, RowCancelled
from brushwork.errors import FollowUpRefused, InvalidField, NotImplementedHere
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome, Run, Task
from brushwork.tasks.describe import aspect_ratio
from brushwork.tasks.sources import Given
from tests.tasks.running import NoiseEngine, given_from, noise, parent, pixels, png, run

JOB = {"jobId": "a", "imageNo": 0}
AREA = {"width": 500, "height": 500, "points": [100, 100, 100, 400, 400, 400, 400, 100]}


def task_of(name: str, **more: Any) -> Task:
    return TASKS[name].model_validate({**TASKS[name].example, **JOB, **more})


def done(name: str, *pictures: Image.Image, prompt: str = "a fox", **more: Any) -> tuple[Outcome, list[Row]]:
    engine = NoiseEngine()
    return run(task_of(name, **more), pictures, source=parent(prompt), engine=engine), engine.asked


@pytest.mark.parametrize(
    ("name", "more", "strength"),
    [
        ("variation", {"type": 0}, 0.15),
        ("variation", {"type": 1}, 0.5),
        ("remix", {"mode": 1}, 0.4),
        ("remix", {"mode": 0}, 0.75),
    ],
)
def test_variations_are_of_the_sources_size_and_shape(name: str, more: dict[str, Any], strength: float) -> None:
    outcome, rows = done(name, noise(96, 64), prompt="a fox --ar 3:2 --s 250", **more)

    assert [image.size for image in outcome.images] == [(96, 64)] * 4
    assert len({image.tobytes() for image in outcome.images}) == 4
    assert {(row.op, row.strength, row.seed) for row in rows} == {(Op.VARY, strength, 7)}
    assert rows[0].params == {"stylize": 250}
    assert rows[0].source is not None
    assert (pixels(rows[0].source.image) == pixels(noise(96, 64))).all()
    assert rows[0].source.recipe == {"row": 0}


def test_a_variation_shows_the_sources_prompt_or_a_new_one() -> None:
    assert done("variation", noise(8, 8), prompt="a fox")[1][0].text == "a fox"
    assert done("variation", noise(8, 8), prompt="a fox", remixPrompt="a wolf")[1][0].text == "a wolf"


def test_a_shape_that_is_asked_for_in_vain_is_said() -> None:
    outcome, rows = done("remix", noise(8, 8), remixPrompt="a wolf --ar 16:9 --seed 5")

    assert outcome.degraded == ["parameter:ar"]
    assert outcome.applied == {"seed": "native"}
    assert not rows[0].params
    assert not done("variation", noise(8, 8), prompt="a fox --ar 16:9")[0].degraded
    assert done("remix", noise(33, 22), remixPrompt="a wolf --ar 3:2")[0].applied == {"ar": "native"}


def test_a_picture_that_is_too_large_to_be_drawn_anew_is_drawn_smaller() -> None:
    outcome, _ = done("variation", Image.new("RGB", (8192, 16)))

    assert outcome.images[0].size == (4096, 8)


def test_a_cut_out_is_varied_on_white() -> None:
    _, rows = done("variation", Image.new("RGBA", (8, 8), (255, 0, 0, 0)))

    assert rows[0].source is not None
    assert rows[0].source.image == Image.new("RGB", (8, 8), "white")


@pytest.mark.parametrize(("kind", "strength", "factor"), [(0, 0.0, 2), (1, 0.45, 2), (2, 0.0, 2), (3, 0.0, 4)])
def test_an_upscale_is_one_larger_picture(kind: int, strength: float, factor: int) -> None:
    outcome, rows = done("upscale", noise(33, 20), type=kind)

    assert [image.size for image in outcome.images] == [(33 * factor, 20 * factor)]
    assert [(row.op, row.strength) for row in rows] == [(Op.UPSCALE, strength)]


def test_a_draft_is_finished_at_the_size_its_prompt_would_have_had() -> None:
    outcome, rows = done("enhance", noise(682, 384), prompt="a fox --draft --ar 16:9 --chaos 20")

    assert [image.size for image in outcome.images] == [(1366, 768)]
    assert rows[0].params == {"chaos": 20}
    assert rows[0].op is Op.ENHANCE


def test_a_draft_of_another_size_is_finished_at_twice_its_own() -> None:
    assert done("enhance", noise(50, 30), prompt="a fox --draft")[0].images[0].size == (100, 60)


PAINTINGS: list[tuple[str, dict[str, Any], tuple[int, int], Place]] = [
    ("pan", {"direction": 0, "scale": 1.5}, (64, 72), Place(0, 0, 64, 48)),
    ("pan", {"direction": 1, "scale": 3.0}, (192, 48), Place(0, 0, 64, 48)),
    ("pan", {"direction": 2, "scale": 1.1}, (64, 52), Place(0, 4, 64, 48)),
    ("pan", {"direction": 3, "scale": 1.25}, (80, 48), Place(16, 0, 64, 48)),
    ("outpaint", {"scale": 2.0}, (128, 96), Place(32, 24, 64, 48)),
    ("inpaint", {"mask": {"areas": [AREA]}}, (64, 48), Place(0, 0, 64, 48)),
    (
        "edit",
        {
            "canvas": {"width": 101, "height": 77},
            "imgPos": {"width": 64, "height": 48, "x": 50, "y": -8},
            "mask": {"areas": [AREA]},
        },
        (101, 77),
        Place(50, -8, 64, 48),
    ),
    (
        "upload-paint",
        {
            "canvas": {"width": 100, "height": 80},
            "imgPos": {"width": 64, "height": 48, "x": 3, "y": 5},
            "mask": {"areas": [AREA]},
        },
        (100, 80),
        Place(3, 5, 64, 48),
    ),
]


@pytest.mark.parametrize(("name", "more", "canvas", "place"), PAINTINGS)
def test_what_the_mask_does_not_cover_keeps_its_bytes(
    name: str, more: dict[str, Any], canvas: tuple[int, int], place: Place
) -> None:
    source = noise(64, 48)

    outcome, rows = done(name, source, **more)

    assert [image.size for image in outcome.images] == [canvas] * 4
    assert {(row.op, row.width, row.height, row.place) for row in rows} == {(Op.INPAINT, *canvas, place)}
    assert rows[0].mask is not None
    kept = pixels(rows[0].mask) == 0
    assert 0 < kept.sum() < kept.size
    on_canvas = Image.new("RGB", canvas)
    on_canvas.paste(source, (place.left, place.top))
    for image, row in zip(outcome.images, rows, strict=True):
        assert (pixels(image)[kept] == pixels(on_canvas)[kept]).all()
        drawn = pixels(noise(*canvas, seed=row.seed + row.index))
        assert (pixels(image)[~kept] == drawn[~kept]).mean() > 0.5


def test_polygons_and_mask_pictures_agree() -> None:
    mask = Image.new("L", (500, 500))
    ImageDraw.Draw(mask).rectangle((100, 100, 399, 399), fill=255)

    _, polygon = done("inpaint", noise(100, 50), mask={"areas": [AREA]})
    _, picture = done("inpaint", noise(100, 50), mask, mask={"url": "https://e.com/m.png"})
    _, old = done("inpaint", noise(100, 50), mask=None, area=AREA)

    assert polygon[0].mask is not None
    assert polygon[0].mask == old[0].mask
    assert picture[0].mask is not None
    assert np.abs(pixels(polygon[0].mask).astype(int) - pixels(picture[0].mask)).mean() < 3


def test_a_mask_that_covers_everything_is_repainted_whole() -> None:
    whole = {"width": 500, "height": 500, "points": [0, 0, 500, 0, 500, 500, 0, 500]}

    outcome, rows = done("inpaint", noise(40, 30), mask={"areas": [whole]})

    assert outcome.images[0] == noise(40, 30, seed=rows[0].seed)


def test_a_mask_that_covers_nothing_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidField, match="mask: covers no part"):
        done("inpaint", noise(40, 30), Image.new("L", (40, 30), 0), mask={"url": "https://e.com/m.png"})
    with pytest.raises(InvalidField, match=r"mask\.areas: covers no part"):
        done("inpaint", noise(40, 30), mask={"areas": [{**AREA, "points": [501, 0, 900, 0, 900, 9]}]})


def test_a_cut_out_gets_a_new_background() -> None:
    cut_out = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    cut_out.paste((255, 0, 0, 255), (16, 16, 48, 48))
    whole = {"width": 64, "height": 64, "x": 0, "y": 0}

    engine = NoiseEngine()
    task = task_of("edit", canvas={"width": 64, "height": 64}, imgPos=whole, mask=None)
    outcome = run(task, [cut_out], source=parent("", task="remove-background"), engine=engine)

    assert outcome.images[0].getpixel((32, 32)) == (255, 0, 0)
    assert outcome.images[0].getpixel((2, 2)) == noise(64, 64, seed=7).getpixel((2, 2))


def test_a_source_may_lie_larger_than_the_canvas() -> None:
    place = {"width": 200, "height": 200, "x": -100, "y": -50}

    outcome, rows = done("edit", noise(50, 50), canvas={"width": 64, "height": 160}, imgPos=place, mask=None)

    assert outcome.images[0].size == (64, 160)
    assert rows[0].place == Place(-100, -50, 200, 200)
    assert rows[0].mask is not None
    assert (pixels(rows[0].mask) > 0).sum() == 64 * 10


def test_references_of_the_prompt_come_last_and_keep_their_weights() -> None:
    words = "https://e.com/i a wolf --iw 2 --sref https://e.com/s::3 99 --sw 50 --cref https://e.com/c --cw 20"
    pictures = [noise(8, 8, seed=seed) for seed in range(5)]
    mask = Image.new("L", (8, 8), 255)

    _, rows = done("inpaint", pictures[0], mask, *pictures[1:4], mask={"url": "https://e.com/m"}, remixPrompt=words)

    found = [(one.role, one.weight, one.source.image.tobytes()) for one in rows[0].references]
    roles = (("image", 2.0), ("style", 1.5), ("character", 0.2))
    assert found == [(*role, picture.tobytes()) for role, picture in zip(roles, pictures[1:4], strict=True)]
    assert {name: len(value) for name, value in rows[0].params.items() if name == "sref"} == {"sref": 1}
    assert "iw" not in rows[0].params
    assert "cref" not in rows[0].params


def test_pictures_in_a_prompt_become_references_of_a_new_picture() -> None:
    engine = NoiseEngine()
    task = TASKS["diffusion"].model_validate({"text": "https://e.com/i.png a fox --oref https://e.com/o.png --ow 300"})

    run(task, [noise(8, 8), noise(9, 9)], engine=engine)

    assert [(one.role, one.weight, one.source.image.width) for one in engine.asked[0].references] == [
        ("image", 1.0, 8),
        ("omni", 3.0, 9),
    ]
    assert engine.asked[0].params == {}


def test_large_pictures_that_are_only_resembled_are_made_smaller() -> None:
    engine = NoiseEngine()
    task = TASKS["blend"].model_validate({"imgUrls": ["https://e.com/a", "https://e.com/b"], "aspect_ratio": "1:1"})

    run(task, [Image.new("RGB", (3072, 1024)), noise(9, 9)], engine=engine)

    assert [one.source.image.size for one in engine.asked[0].references] == [(1536, 512), (9, 9)]


def test_a_blend_is_drawn_from_all_of_its_pictures() -> None:
    engine = NoiseEngine()
    task = TASKS["blend"].model_validate({"imgUrls": ["https://e.com/a", "https://e.com/b"], "aspect_ratio": "2:3"})

    outcome = run(task, [noise(8, 8), noise(9, 9)], engine=engine)

    assert [image.size for image in outcome.images] == [(836, 1254)] * 4
    assert [(one.role, one.source.image.width) for one in engine.asked[3].references] == [("blend", 8), ("blend", 9)]


@pytest.mark.parametrize(
    ("shape", "size"), [((100, 100), (1024, 1024)), ((160, 90), (1366, 768)), ((40, 1), (4096, 102))]
)
def test_a_retexture_has_the_shape_of_its_source(shape: tuple[int, int], size: tuple[int, int]) -> None:
    outcome, rows = done("retexture", noise(*shape))

    assert outcome.images[0].size == size
    assert rows[0].source is not None
    assert rows[0].source.image.size == size


def test_a_description_is_four_prompts_of_the_right_shape() -> None:
    outcome = run(task_of("describe"), [noise(1366, 768)])

    assert outcome.output["prompts"] == [f"a {word} picture --ar 16:9" for word in ("red", "green", "blue", "grey")]
    assert outcome.output["description"].startswith("1. a red picture --ar 16:9\n\n2. a green")
    assert outcome.output["promptEn"] == outcome.output["finalPrompt"] == "a red picture --ar 16:9"
    assert not outcome.images


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [
        (1024, 1024, "1:1"),
        (836, 1254, "2:3"),
        (1254, 836, "3:2"),
        (1366, 768, "16:9"),
        (1000, 1010, "1:1"),
        (1080, 1920, "9:16"),
        (4000, 1000, "4:1"),
        (1100, 1000, "10:9"),
        (5000, 10, "14:1"),
        (1, 4000, "1:14"),
    ],
)
def test_ratios_are_said_as_people_would(width: int, height: int, ratio: str) -> None:
    said = aspect_ratio(width, height)

    assert said == ratio
    TASKS["diffusion"].model_validate({"text": f"a fox --ar {said}"}).check()


def test_shortening_gives_shorter_and_shorter_prompts_that_keep_their_flags() -> None:
    outcome = run(task_of("shorten", prompt="a very beautiful red fox, in a wonderful forest --ar 3:2 --s 50"))

    prompts = outcome.output["prompts"]
    assert len(prompts) == 5
    assert all(prompt.endswith(" --ar 3:2 --s 50") for prompt in prompts)
    assert [len(prompt) for prompt in prompts] == sorted((len(prompt) for prompt in prompts), reverse=True)
    assert "**beautiful**" in outcome.output["description"]
    assert dict(outcome.recipe["weights"])["fox,"] == 0.4
    for prompt in prompts:
        TASKS["diffusion"].model_validate({"text": prompt}).check()


def test_a_reroll_draws_the_same_request_with_its_own_seed() -> None:
    engine = NoiseEngine()
    repeated = parent("a fox --seed 5 --draft", input={"text": "a fox --seed 5 --draft"})

    outcome = run(task_of("reroll"), given=[Given("", parent=repeated)], engine=engine, seed=99)

    assert {(row.op, row.text, row.seed, row.width) for row in engine.asked} == {(Op.TEXT_TO_IMAGE, "a fox", 99, 512)}
    assert len(outcome.images) == 4
    assert outcome.applied == {}


def test_a_reroll_of_a_follow_up_has_its_pictures() -> None:
    engine = NoiseEngine()
    source = noise(64, 48)
    inner = [given_from(source, parent("a fox --turbo"), path="s")]
    pan = parent("a fox", task="pan", input={**JOB, "direction": 1, "scale": 2.0}, given=tuple(inner))
    twice = parent("a fox", task="reroll", input={"job_id": "b"}, given=(Given("", parent=pan),))

    outcome = run(task_of("reroll"), [source], given=[Given("", parent=twice)], engine=engine)

    assert outcome.images[0].size == (128, 48)
    assert (pixels(outcome.images[0])[:, :64] == pixels(source)).all()


def test_an_engine_that_cannot_says_so_in_a_sentence() -> None:
    with pytest.raises(NotImplementedHere, match=r"engine noise .* \(inpaint\)"):
        run(task_of("pan"), [noise(8, 8)], source=parent(), engine=NoiseEngine(Op.TEXT_TO_IMAGE))


def test_a_job_that_is_cancelled_leaves_no_picture() -> None:
    class Impatient(NoiseEngine):
        def run(self, rows: Any, sink: Any) -> Any:
            return super().run(rows, sink)[1:]

    with pytest.raises(RowCancelled):
        run(task_of("outpaint"), [noise(8, 8)], source=parent(), engine=Impatient())


def test_a_source_beyond_the_canvas_limit_is_refused_before_it_is_drawn() -> None:
    with pytest.raises(FollowUpRefused):
        done("outpaint", Image.new("RGB", (4096, 8)))


def test_progress_is_a_share_of_all_rows() -> None:
    told: list[int] = []
    job = Run(NoiseEngine(), 7, NullSink(), given=[given_from(noise(8, 8), parent())], data=[png(noise(8, 8))])

    task_of("variation").run(replace(job, expect=lambda rows: told.append(len(rows))))

    assert told == [4]
