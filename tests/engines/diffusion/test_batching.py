"""Who shares a forward pass, and whose turn it is."""

from dataclasses import replace

from brushwork.engines.base import NullSink
from brushwork.engines.diffusion.batching import Turns, key_of
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.plan import Control, Plan, Seen, Words
from brushwork.engines.diffusion.state import Ticket, Work
from tests.engines.diffusion.shelf import half_mask, picture, plan_of

TICKET = Ticket(NullSink(), 1)


def work(plan: Plan, arrived: float = 0.0) -> Work:
    return Work(plan, TICKET, key_of(plan, FAMILIES[plan.model]), arrived)


def test_only_what_changes_the_computation_keeps_rows_apart() -> None:
    plan, facts = plan_of("sdxl"), FAMILIES["sdxl"]
    same = [
        plan_of("sdxl", 1, text="another", steps=30, guidance=7.0, negative="ugly", stop=3),
        replace(plan, init=picture(), start=2, mask=half_mask()),
        replace(plan, texts=(Words("a"), Words("b", -1.0))),
        replace(plan_of("sdxl", size=(256, 256)), panes=64),
    ]
    apart = [
        replace(plan, model="animagine"),
        replace(plan, adapters=(("ink", 0.5),)),
        replace(plan, tile=True),
        replace(plan, control=Control(picture(), "canny", "union")),
        replace(plan, seen=(Seen(picture()),)),
        plan_of("sdxl", size=(128, 64)),
    ]

    assert {key_of(other, facts) for other in same} == {key_of(plan, facts)}
    assert len({key_of(other, facts) for other in (plan, *apart)}) == 1 + len(apart)


def test_sizes_share_a_pass_where_the_family_takes_lists() -> None:
    facts = FAMILIES["zimage"]
    assert key_of(plan_of("zimage"), facts) == key_of(plan_of("zimage", size=(128, 64)), facts)


def test_keys_of_one_model_take_turns_step_by_step() -> None:
    turns = Turns(batch=2)
    square, wide = [work(plan_of("sdxl", index)) for index in range(3)], [work(plan_of("sdxl", 3, size=(128, 64)))]

    assert [turns.next([*square, *wide], 0.0) for _ in range(4)] == [square[:2], wide, square[:2], wide]


def test_a_model_keeps_its_turn_for_a_while_and_then_makes_room() -> None:
    turns = Turns(batch=4, patience=10.0)
    first, second = work(plan_of("sdxl"), 0.0), work(plan_of("zimage"), 1.0)

    assert turns.next([first], 0.0) == [first]
    assert turns.next([first, second], 9.0) == [first]
    assert turns.next([first, second], 11.0) == [second]
    assert turns.next([first, second], 20.0) == [second]
    assert turns.next([first, second], 22.0) == [first]
    assert turns.next([second], 23.0) == [second]


def test_no_model_waits_for_ever_behind_two_busy_ones() -> None:
    turns = Turns(batch=4, patience=1.0)
    works = [work(plan_of(model), float(at)) for at, model in enumerate(("sdxl", "zimage", "qwen"))]

    seen = [turns.next(works, 2.0 * turn)[0].plan.model for turn in range(6)]

    assert sorted(seen[:3]) == sorted(seen[3:]) == ["qwen", "sdxl", "zimage"]
