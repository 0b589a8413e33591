"""Blend, retexture, upscale, enhance: each does to pixels what it promises."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import NullSink, Op, Row, RowCancelled
from brushwork.engines.diorama.engine import PASSES
from brushwork.engines.diorama.follow.pixels import edge_map, sized
from brushwork.engines.diorama.recipe import scene_of
from brushwork.errors import InvalidField
from tests.engines.diorama.follow.helpers import ENGINE, SIDE, after, apart, colours, difference, new, refer, run
from tests.engines.diorama.test_engine import Watcher

FOX, LAKE, CAMEL = "a red fox in a snowy forest", "a sailboat on a lake at sunset", "a camel in the desert"


def blended(*sources: object, index: int = 0) -> object:
    references = tuple(refer("blend", source) for source in sources)  # type: ignore[arg-type]  # results or pictures
    return run(Row(index, 5, "", SIDE, SIDE, model="7", op=Op.BLEND, references=references))


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize("pair", [(FOX, LAKE), (LAKE, CAMEL), (FOX, "a rocket in space")])
def test_a_blend_is_nearer_to_both_than_they_are_to_each_other(pair: tuple[str, str], foreign: bool) -> None:
    a, b = (new(text).image if foreign else new(text) for text in pair)

    for index in (0, 1):
        blend = blended(a, b, index=index)

        assert max(apart(blend, a), apart(blend, b)) < apart(a, b)  # type: ignore[arg-type]  # a result


def test_a_blend_of_own_pictures_shows_the_subjects_of_all() -> None:
    blend = blended(new(FOX), new(LAKE), new(CAMEL))

    concepts = {subject.concept for subject in scene_of(blend.recipe).subjects}  # type: ignore[attr-defined]  # a result
    assert {"fox", "sailboat", "camel"} <= concepts


def test_a_blend_of_one_is_refused() -> None:
    with pytest.raises(InvalidField):
        blended(new(FOX))


@pytest.mark.parametrize("words", ["made of gold", "ice", "carved wood", "watercolor", "autumn forest", "flumph"])
def test_retexture_keeps_the_edges_and_changes_the_colours(words: str) -> None:
    source = new(FOX, side=192)

    made = after(Op.RETEXTURE, source, words)

    before, later = edge_map(colours(source)), edge_map(colours(made))
    assert np.corrcoef(before.ravel(), later.ravel())[0, 1] > 0.4
    assert difference(colours(source), colours(made)) > 0.05


def test_different_materials_look_different() -> None:
    pictures = {after(Op.RETEXTURE, new(FOX), words).image.tobytes() for words in ("gold", "stone", "moss", "neon")}

    assert len(pictures) == 4


@pytest.mark.parametrize("foreign", [False, True])
def test_an_upscale_shrinks_to_its_source(foreign: bool) -> None:
    source = new(FOX)
    given = source.image if foreign else source

    subtle = after(Op.UPSCALE, given, size=(2 * SIDE, 2 * SIDE))
    creative = after(Op.UPSCALE, given, size=(2 * SIDE, 2 * SIDE), strength=0.5)

    near = [difference(sized(colours(result), SIDE, SIDE), colours(source)) for result in (subtle, creative)]
    assert near[0] < 0.012
    assert near[0] < near[1] < 0.03
    assert difference(colours(subtle), colours(creative)) > 0.004
    assert fineness(colours(creative)) > fineness(colours(subtle))


def test_an_upscale_of_an_own_picture_has_detail_of_its_world() -> None:
    source = new("a meadow with flowers")
    bicubic = source.image.resize((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC)

    large = after(Op.UPSCALE, source, size=(2 * SIDE, 2 * SIDE))

    assert fineness(colours(large)) > 1.3 * fineness(colours(bicubic))
    assert scene_of(large.recipe) == scene_of(source.recipe)


def fineness(picture: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    return float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())


def test_enhance_finishes_what_the_draft_began() -> None:
    draft = run(Row(0, 7, FOX, SIDE // 2, SIDE // 2, model="7", params={"draft": True}))

    made = after(Op.ENHANCE, draft, size=(SIDE, SIDE))

    assert made.image.tobytes() == new(FOX).image.tobytes()


@pytest.mark.parametrize("op", [Op.VARY, Op.INPAINT, Op.RETEXTURE, Op.UPSCALE, Op.ENHANCE])
def test_every_operation_previews_reports_and_can_be_cancelled(op: Op) -> None:
    rows = [after_row(op, index) for index in range(2)]
    watcher = Watcher(cancel=1, at=2)

    results = ENGINE.run(rows, watcher)

    assert [result.index for result in results] == [0]
    assert set(watcher.previews) == {0, 1}
    assert watcher.steps[0][-1] == PASSES
    assert watcher.steps[0] == sorted(watcher.steps[0])


def after_row(op: Op, index: int) -> Row:
    from brushwork.engines.base import Source

    source = new(FOX)
    mask = Image.new("L", source.image.size, 0)
    mask.paste(255, (30, 30, 90, 90))
    return Row(
        index, 9, "gold", SIDE, SIDE, model="7", op=op, source=Source(source.image, source.recipe), mask=mask,
        strength=0.5,
    )  # fmt: skip


def test_another_process_makes_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.engines.diorama.follow.test_others import *;"
        "print(*(hashlib.sha256(ENGINE.run([after_row(op, 1)], NullSink())[0].image.tobytes()).hexdigest()"
        " for op in (Op.VARY, Op.INPAINT, Op.RETEXTURE, Op.UPSCALE)))"
    )

    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()

    mine = [
        hashlib.sha256(ENGINE.run([after_row(op, 1)], NullSink())[0].image.tobytes()).hexdigest()
        for op in (Op.VARY, Op.INPAINT, Op.RETEXTURE, Op.UPSCALE)
    ]
    assert other == mine


def test_cancelling_within_an_enlargement_stops_at_a_tile() -> None:
    class Impatient(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            if done > 1:
                raise RowCancelled

    assert ENGINE.run([after_row(Op.UPSCALE, 0)], Impatient()) == []


def test_invented_detail_draws_no_lines_along_contours() -> None:
    flat = Image.new("RGB", (SIDE, SIDE), (240, 220, 140))
    flat.paste((230, 110, 20), (40, 40, 90, 90))

    creative = colours(after(Op.UPSCALE, flat, size=(2 * SIDE, 2 * SIDE), strength=1.0))
    faithful = colours(after(Op.UPSCALE, flat, size=(2 * SIDE, 2 * SIDE)))

    for channel in range(3):
        assert creative[..., channel].min() > faithful[..., channel].min() - 0.06
        assert creative[..., channel].max() < faithful[..., channel].max() + 0.06
