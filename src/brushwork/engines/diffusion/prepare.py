"""What happens to a row before its first step and after its last: texts, pictures and noise into tensors, and back.

Texts are encoded once per distinct text, pictures once per distinct picture, however many rows want them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from brushwork.engines.diffusion.families.base import NO_EXTRAS, Conditioning, Extras, Family
from brushwork.engines.diffusion.guidance import pushed
from brushwork.engines.diffusion.noise import first_noise, generator_of
from brushwork.engines.diffusion.pixels import mask_of
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.policies.forecast import Forecast, schedule
from brushwork.engines.diffusion.remembered import Remembered
from brushwork.engines.diffusion.state import Brush, Work
from brushwork.engines.diffusion.trouble import Shelf

TEXTS, PICTURES = 128, 16
"""How many are remembered."""
WRAP = 8
"""Latent pixels that a picture without edges is continued by before it is decoded."""


class TextKey(NamedTuple):
    """All that an encoded text depends on."""

    model: str
    text: str
    adapters: tuple[tuple[str, float], ...]
    beside: tuple[str, ...]
    """Hashes of the pictures that are read with it."""


class Preparing:
    """Everything about a row but its steps."""

    def __init__(self, shelf: Shelf, *, one_by_one: bool = False) -> None:
        self.shelf = shelf
        self.one_by_one = one_by_one
        self.texts: Remembered[Conditioning] = Remembered(TEXTS)
        self.inits: Remembered[Tensor] = Remembered(PICTURES)
        self.extras: Remembered[Extras] = Remembered(PICTURES)

    def forget(self) -> None:
        self.texts.clear()
        self.inits.clear()
        self.extras.clear()

    def prepare(self, works: Sequence[Work]) -> None:
        """Rows of one model, made ready for their first step."""
        model = works[0].plan.model
        for ticket in {work.ticket for work in works}:
            ticket.sink.stage("loading")
        family = self.shelf.family(model)
        for ticket in {work.ticket for work in works}:
            ticket.sink.stage("drawing")
        known = self.encoded(works, family)
        for work in works:
            if work.brush is None:
                self.begin(work, family, known)

    # ── texts ──

    def encoded(self, works: Sequence[Work], family: Family) -> dict[TextKey, Conditioning]:
        """All texts of these rows, which are of one model and have the same LoRAs."""
        wanted = {
            self.key_of(work, text): work
            for work in works
            for text in texts_of(work, is_guided=family.is_guided(work.plan.guidance))
        }
        known = {key: text for key in wanted if (text := self.texts.get(key)) is not None}
        for some in self.encoded_together([key for key in wanted if key not in known]):
            plan = wanted[some[0]].plan
            seen = plan.seen if self.shelf.facts(plan.model).reads_pictures else ()
            found = family.encode([key.text for key in some], seen, adapters=plan.adapters)
            known |= {key: self.texts.put(key, text) for key, text in zip(some, found, strict=True)}
        return known

    def encoded_together(self, keys: Sequence[TextKey]) -> list[list[TextKey]]:
        if self.one_by_one:
            return [[key] for key in keys]
        groups: dict[tuple[str, ...], list[TextKey]] = {}
        for key in keys:
            groups.setdefault(key.beside, []).append(key)
        return list(groups.values())

    def key_of(self, work: Work, text: str) -> TextKey:
        reads = self.shelf.facts(work.plan.model).reads_pictures
        return TextKey(work.plan.model, text, work.plan.adapters, work.digests[1:-1] if reads else ())

    # ── pictures and noise ──

    def begin(self, work: Work, family: Family, known: Mapping[TextKey, Conditioning]) -> None:
        plan, device = work.plan, self.shelf.device

        def text(words: str) -> Conditioning:
            return known[self.key_of(work, words)]

        def positive(words: str) -> Conditioning:
            return pushed(text(words), text(""), plan.push) if plan.push else text(words)

        shape = family.latent_shape(plan.width, plan.height)
        solver = family.solver(plan.steps, plan.width, plan.height)
        noise = first_noise(plan.noise, shape).to(device)
        init = self.init_of(work, family)
        mask = mask_of(plan.mask, *shape[1:]).to(device) if plan.mask is not None and init is not None else None
        start, end = work.start, plan.end
        latents = solver.begin(noise, start=start, end=end, init=init if start else None)
        if mask is not None and init is not None:
            latents = torch.lerp(solver.under_noise(init, noise, start), latents, mask)
        work.brush = Brush(
            family=family,
            solver=solver,
            texts=tuple((positive(words.text), words.weight) for words in plan.texts),
            negative=text(plan.negative) if family.is_guided(plan.guidance) else None,
            noise=noise,
            forecast=Forecast(schedule(self.shelf.cache(plan.model), plan.steps, start=start, end=end)),
            init=init,
            mask=mask,
            extras=self.extras_of(work, family),
            generator=generator_of(plan.noise.seed, "steps"),
        )
        work.latents, work.step = latents, start

    def init_of(self, work: Work, family: Family) -> Tensor | None:
        if work.init_pixels is None:
            return None
        key = (work.plan.model, work.digests[0])
        known = self.inits.get(key)
        if known is not None:
            return known
        return self.inits.put(key, family.encode_image(work.init_pixels.to(self.shelf.device)).float())

    def extras_of(self, work: Work, family: Family) -> Extras:
        plan = work.plan
        if not plan.seen and plan.control is None:
            return NO_EXTRAS
        seen = tuple((one.weight, one.role, one.how) for one in plan.seen)
        control = plan.control and (plan.control.kind, plan.control.adapter, plan.control.scale, plan.control.until)
        key = (plan.model, plan.width, plan.height, seen, control, work.digests[1:])
        known = self.extras.get(key)
        return known or self.extras.put(key, family.extras(plan.seen, plan.control, plan.width, plan.height))

    # ── after the last step ──

    def decoded(self, works: Sequence[Work]) -> list[Tensor]:
        """Pictures (3, H, W) in 0..1 of rows with equal keys."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for index, work in enumerate(works):
            sizes.setdefault((index,) if self.one_by_one else tuple(latents_of(work).shape), []).append(index)
        pictures: dict[int, Tensor] = {}
        for indices in sizes.values():
            some = [works[index] for index in indices]
            pictures |= dict(zip(indices, self.decode(some), strict=True))
        return [pictures[index] for index in range(len(works))]

    def decode(self, works: Sequence[Work]) -> list[Tensor]:
        brush, plan = works[0].brush, works[0].plan
        assert brush is not None
        latents = [latents_of(work) for work in works]
        tile = self.shelf.facts(plan.model).tile if plan.tile else "none"
        if tile != "approximate":
            return brush.family.decode(latents, tile=tile == "exact")
        return wrapped(brush.family, latents, plan)


def texts_of(work: Work, *, is_guided: bool) -> list[str]:
    """Everything that has to be encoded for the row."""
    plan = work.plan
    return [
        *(words.text for words in plan.texts),
        *([plan.negative] if is_guided else []),
        *([""] if plan.push else []),
    ]


def wrapped(family: Family, latents: Sequence[Tensor], plan: Plan) -> list[Tensor]:
    """Decoded with a margin of the opposite edge on each side, which is then cut away."""
    height, width = latents[0].shape[1:]
    margin = min(WRAP, height, width)
    wide = [torch.nn.functional.pad(one[None], (margin,) * 4, mode="circular")[0] for one in latents]
    scale = plan.height // height
    edge = margin * scale
    return [
        picture[:, edge : edge + plan.height, edge : edge + plan.width]
        for picture in family.decode(wide, tile=False)
    ]  # fmt: skip


def latents_of(work: Work) -> Tensor:
    assert work.latents is not None
    return work.latents
