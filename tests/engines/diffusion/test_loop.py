"""Rows of all kinds in one loop: each is drawn as it would be alone, whoever shares its steps, and whatever happens."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from brushwork.engines.base import DeviceLost, NullSink
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.plan import Noise, Plan, Words
from brushwork.errors import EngineFailed
from tests.engines.diffusion.shelf import (
    GUIDED,
    Holding,
    TinyShelf,
    Watching,
    decoded,
    distance,
    half_mask,
    loop_of,
    passes,
    picture,
    plan_of,
)

FAMILIES = tuple(GUIDED)
CLOSE = 1e-5
SINK = NullSink()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> TinyShelf:
    torch.set_num_threads(1)
    return TinyShelf(tmp_path_factory.mktemp("models"))


@pytest.fixture
def loop(shelf: TinyShelf) -> Iterator[Loop]:
    loop = loop_of(shelf, batch=16)
    yield loop
    loop.close()


def mixed(model: str) -> list[Plan]:
    """Everything in which rows of one batch may differ."""
    guided: dict[str, Any] = {"guidance": GUIDED[model], "negative": "blurred"}
    init = picture()
    return [
        plan_of(model, 0),
        plan_of(model, 1, text="two blue cats on a tin roof in the rain", steps=6, **guided),
        plan_of(model, 2, steps=6, stop=4, **guided),
        plan_of(model, 3, init=init, start=2, steps=5),
        plan_of(model, 4, init=init, start=1, mask=half_mask(), **guided),
        plan_of(model, 5, texts=(Words("a fox"), Words("a castle", 0.5), Words("snow", -0.3)), **guided),
        plan_of(model, 6, texts=(Words("a fox", 2), Words("a castle"), Words("snow", -0.5))),
        plan_of(model, 7, conditioning_noise=0.3, push=0.2, noise=Noise(1, towards=2, amount=0.4)),
        plan_of(model, 8, guidance_end=2, **guided),
    ]


def assert_as_alone(shelf: TinyShelf, loop: Loop, plans: list[Plan], close: float = CLOSE) -> None:
    model = plans[0].model
    with decoded(shelf, model) as together:
        drawn = loop.draw(plans, SINK)
    assert sorted(one.plan.row.index for one in drawn) == sorted(plan.row.index for plan in plans)
    for plan in plans:
        with decoded(shelf, model) as alone:
            loop.draw([plan], SINK)
        assert distance(alone, together) <= close, plan


@pytest.mark.parametrize("model", FAMILIES)
def test_rows_of_all_kinds_are_drawn_together_as_each_would_be_alone(shelf: TinyShelf, loop: Loop, model: str) -> None:
    assert_as_alone(shelf, loop, mixed(model))


@pytest.mark.parametrize("model", FAMILIES)
def test_in_fixed_batches_a_row_has_the_same_bytes_whoever_shares_them(shelf: TinyShelf, model: str) -> None:
    loop = loop_of(shelf, batch=8, deterministic=True)
    assert_as_alone(shelf, loop, mixed(model)[:6], close=0.0)
    loop.close()


@pytest.mark.parametrize("model", ["sdxl", "zimage", "flux2"])
def test_panes_and_tiles_share_batches_too(shelf: TinyShelf, loop: Loop, model: str) -> None:
    wide = [plan_of(model, index, size=(160, 64), panes=64, guidance=GUIDED[model]) for index in range(2)]
    tiles = [plan_of(model, 2 + index, tile=True, steps=4 + index) for index in range(2)]

    assert_as_alone(shelf, loop, [*wide, *tiles, plan_of(model, 4)])


def test_sizes_share_a_pass_where_the_family_takes_lists(shelf: TinyShelf, loop: Loop) -> None:
    plans = [plan_of("zimage", 0), plan_of("zimage", 1, size=(96, 64)), plan_of("zimage", 2, size=(64, 128))]
    with passes(shelf, "zimage") as sizes:
        loop.draw(plans, SINK)

    assert sizes == [3] * 4
    assert_as_alone(shelf, loop, plans)


def test_one_forward_pass_serves_all_rows(shelf: TinyShelf, loop: Loop) -> None:
    with passes(shelf, "sdxl") as sizes:
        loop.draw([plan_of("sdxl", 0, steps=3), plan_of("sdxl", 1, steps=5, guidance=5.0)], SINK)

    assert sizes == [3, 3, 3, 2, 2]


def test_rows_join_and_leave_at_any_step(shelf: TinyShelf, loop: Loop) -> None:
    long, short = plan_of("sdxl", 0, steps=9), plan_of("sdxl", 1, steps=3)
    holding = Holding(0, 3)
    with decoded(shelf, "sdxl") as together, passes(shelf, "sdxl") as sizes, ThreadPoolExecutor() as jobs:
        first = jobs.submit(loop.draw, [long], holding)
        assert holding.reached.wait(20)
        second = jobs.submit(loop.draw, [short], SINK)
        while not loop.inbox.qsize():
            assert not second.done()
        holding.release.set()
        second.result(20)
        first.result(20)

    assert sizes == [1, 1, 2, 2, 2, 1, 1, 1, 1]
    for plan in (long, short):
        with decoded(shelf, "sdxl") as alone:
            loop.draw([plan], SINK)
        assert distance(alone, together) <= CLOSE


def test_a_cancelled_row_is_gone_before_the_next_step_and_the_others_go_on(shelf: TinyShelf, loop: Loop) -> None:
    class Cancelling(Watching):
        def step(self, row: Any, done: int, total: int) -> None:
            if (row.index, done) == (1, 3):  # its second step is done
                self.cancelled.add(1)
            super().step(row, done, total)

    with passes(shelf, "sdxl") as sizes:
        drawn = loop.draw([plan_of("sdxl", index, steps=5) for index in range(3)], Cancelling())

    assert sizes == [3, 3, 2, 2, 2]
    assert sorted(one.plan.row.index for one in drawn) == [0, 2]
    assert loop.works == []


def test_a_row_that_waits_for_its_turn_can_be_cancelled(shelf: TinyShelf) -> None:
    loop = loop_of(shelf, batch=1)
    sink = Watching()
    sink.cancelled.add(1)
    drawn = loop.draw([plan_of("sdxl", 0), plan_of("sdxl", 1)], sink)
    loop.close()

    assert [one.plan.row.index for one in drawn] == [0]


def test_progress_counts_steps_encoding_and_decoding_and_three_views_come_early(shelf: TinyShelf, loop: Loop) -> None:
    sink = Watching()
    loop.draw([plan_of("zimage", 0, steps=8)], sink)

    assert list(dict.fromkeys(sink.steps)) == [(0, done, 10) for done in range(11)]
    assert [index for index, _ in sink.previews] == [0, 0, 0]


def test_a_text_is_encoded_once_however_many_rows_say_it(shelf: TinyShelf, loop: Loop) -> None:
    encoded: list[int] = []
    shelf.family("sdxl")
    with shelf.parts["sdxl"].use("text_encoder") as encoder:
        hook = encoder.register_forward_pre_hook(
            lambda _module, args, kwargs: encoded.append(len(kwargs["input_ids"] if not args else args[0])),
            with_kwargs=True,
        )
        loop.draw([plan_of("sdxl", index, text="a lonely word") for index in range(4)], SINK)
        loop.draw([plan_of("sdxl", 0, text="a lonely word")], SINK)
        hook.remove()

    assert sum(encoded) == 1


def test_what_the_mask_keeps_is_the_picture_that_was_brought(shelf: TinyShelf, loop: Loop) -> None:
    latents: list[torch.Tensor] = []
    shelf.family("sdxl")
    plans = [plan_of("sdxl", index, init=picture(), start=1, mask=half_mask()) for index in range(2)]
    with shelf.parts["sdxl"].use("vae") as vae:
        hook = vae.decoder.register_forward_pre_hook(lambda _module, args: latents.extend(args[0].clone()))
        loop.draw(plans, SINK)
        hook.remove()

    one, other = latents
    middle = one.shape[-1] // 2
    assert torch.equal(one[..., :middle], other[..., :middle])
    assert not torch.allclose(one[..., middle:], other[..., middle:], atol=0.1)


def test_a_picture_without_a_step_to_draw_is_the_one_that_was_brought(shelf: TinyShelf, loop: Loop) -> None:
    init = picture()
    (drawn,) = loop.draw([plan_of("sdxl", 0, init=init, start=4, steps=4)], SINK)

    assert np.array_equal(np.asarray(drawn.image), np.asarray(init))


def test_out_of_memory_halves_the_batch_and_nobody_notices(shelf: TinyShelf) -> None:
    loop = loop_of(shelf, batch=4)
    plans = [plan_of("sdxl", index, guidance=5.0) for index in range(4)]
    expected = {one.plan.row.index: one.image for one in loop.draw(plans, SINK)}
    relieved = shelf.relieved

    def small(size: int, _args: Any, _kwargs: Any) -> None:
        if size > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    with passes(shelf, "sdxl", small) as sizes:
        drawn = loop.draw(plans, SINK)
    loop.close()

    assert sizes[:4] == [8, 4, 2, 2]
    assert max(sizes[2:]) == 2
    assert shelf.relieved == relieved + 2
    for one in drawn:
        assert np.abs(np.asarray(one.image, int) - np.asarray(expected[one.plan.row.index], int)).max() <= 1


def test_a_row_that_is_too_large_fails_alone_and_says_why(shelf: TinyShelf, loop: Loop) -> None:
    def narrow(_size: int, args: Any, _kwargs: Any) -> None:
        if args[0].shape[-1] > 8:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    with passes(shelf, "sdxl", narrow), ThreadPoolExecutor() as jobs:
        large = jobs.submit(loop.draw, [plan_of("sdxl", 0, size=(96, 64))], SINK)
        small = jobs.submit(loop.draw, [plan_of("sdxl", 1)], SINK)
        with pytest.raises(EngineFailed, match="more memory"):
            large.result(20)
        assert len(small.result(20)) == 1


def test_a_row_that_breaks_the_model_fails_only_its_own_job(shelf: TinyShelf, loop: Loop) -> None:
    bad, good = [plan_of("sdxl", 0, steps=7), plan_of("sdxl", 1)], [plan_of("sdxl", 2), plan_of("sdxl", 3)]
    with decoded(shelf, "sdxl") as expected:
        loop.draw(good, SINK)
    strange = shelf.family("sdxl").solver(7, 64, 64).timestep(2)

    def broken(_size: int, args: Any, _kwargs: Any) -> None:
        if (torch.as_tensor(args[1]) == strange).any():
            raise ValueError("/srv/models/secret")

    with passes(shelf, "sdxl", broken), decoded(shelf, "sdxl") as found, ThreadPoolExecutor() as jobs:
        holding = Holding(2, 1)
        sound = jobs.submit(loop.draw, good, holding)
        assert holding.reached.wait(20)
        failing = jobs.submit(loop.draw, bad, SINK)
        while not loop.inbox.qsize():
            assert not failing.done()
        holding.release.set()
        with pytest.raises(
            EngineFailed, match=r"^The model failed while drawing \(ValueError\); nothing was charged.$"
        ):
            failing.result(20)
        assert len(sound.result(20)) == 2

    assert all(distance([one], found) <= CLOSE for one in expected)
    assert loop.works == []


@pytest.mark.parametrize("model", FAMILIES)
def test_one_step_is_enough_for_a_picture(loop: Loop, model: str) -> None:
    (drawn,) = loop.draw([plan_of(model, 0, steps=1)], SINK)

    assert (len(drawn.sigmas), drawn.sigmas[-1]) == (2, 0.0)


def test_numbers_out_of_range_are_an_error_not_a_black_picture(shelf: TinyShelf, loop: Loop) -> None:
    hook = shelf.denoiser("sdxl").register_forward_hook(lambda _module, _args, output: (output[0] * float("nan"),))
    with pytest.raises(EngineFailed, match="range"):
        loop.draw([plan_of("sdxl", 0)], SINK)
    hook.remove()


def test_a_lost_device_is_told_to_everybody_and_nothing_more_is_taken(shelf: TinyShelf) -> None:
    loop = loop_of(shelf)

    def gone(_size: int, _args: Any, _kwargs: Any) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    with passes(shelf, "sdxl", gone), pytest.raises(DeviceLost):
        loop.draw([plan_of("sdxl", 0), plan_of("zimage", 1)], SINK)
    with pytest.raises(DeviceLost):
        loop.draw([plan_of("zimage", 0)], SINK)


def test_models_take_turns_and_all_are_drawn(shelf: TinyShelf, loop: Loop) -> None:
    loop.turns.patience = 0.0
    plans = [plan_of(model, index, steps=3) for index, model in enumerate(("sdxl", "zimage", "sdxl", "flux2"))]
    with ThreadPoolExecutor() as jobs:
        drawn = list(jobs.map(lambda plan: loop.draw([plan], SINK), plans))

    assert [one.plan.row.index for (one,) in drawn] == [0, 1, 2, 3]


@pytest.mark.parametrize("policy", ["taylorseer", "magcache"])
def test_skipped_steps_leave_nothing_behind_when_a_row_is_cancelled(shelf: TinyShelf, policy: Any) -> None:
    skipping = replace(shelf, skipping=policy)
    loop = loop_of(skipping)
    plans = [plan_of("qwen", index, steps=20, guidance=GUIDED["qwen"]) for index in range(3)]
    with decoded(skipping, "qwen") as expected, passes(skipping, "qwen") as sizes:
        loop.draw(plans[:2], SINK)
    assert len(sizes) < 20

    class Cancelling(Watching):
        def step(self, row: Any, done: int, total: int) -> None:
            if row.index == 2 and done > 8:
                self.cancelled.add(2)
            super().step(row, done, total)

    with decoded(skipping, "qwen") as found:
        assert len(loop.draw(plans, Cancelling())) == 2
        loop.draw(plans[:1], SINK)
    loop.close()

    assert all(distance([one], found) <= CLOSE for one in expected)
    assert distance([found[-1]], expected) <= CLOSE


def test_two_threads_may_ask_at_once(shelf: TinyShelf, loop: Loop) -> None:
    start = threading.Barrier(4)

    def ask(index: int) -> int:
        start.wait(10)
        (drawn,) = loop.draw([plan_of("sdxl", index)], SINK)
        return drawn.plan.row.index

    with ThreadPoolExecutor(4) as jobs:
        assert sorted(jobs.map(ask, range(4))) == [0, 1, 2, 3]
