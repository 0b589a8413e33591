"""A row's own step, once the model has said what it makes of it: solver, mask, preview."""

from collections.abc import Sequence

import torch

from brushwork.engines.diffusion.state import Work

PREVIEWS = 3
"""Of one row."""


def advance(prediction: torch.Tensor, is_computed: bool, works: Sequence[Work]) -> None:
    """Take the step that the prediction tells the one row."""
    (work,) = works
    brush, latents, plan = work.brush, work.latents, work.plan
    assert brush is not None
    assert latents is not None
    if is_computed:
        brush.forecast.saw(work.step, prediction)
    if is_shown(work.step - work.start, plan.end - work.start):
        clear = brush.solver.clear(prediction, work.step, latents)
        work.ticket.previewed(plan.row, brush.family.preview(clear))
    latents = brush.solver.step(prediction, work.step, latents, brush.generator).float()
    if brush.mask is not None and brush.init is not None:
        kept = brush.solver.under_noise(brush.init, brush.noise, work.step + 1)
        latents = torch.lerp(kept, latents, brush.mask)
    work.latents = latents
    work.step += 1


def is_shown(step: int, steps: int) -> bool:
    """Whether a preview is due after this step: some three times a row, evenly."""
    return any(step == (steps * part) // (PREVIEWS + 1) for part in range(1, PREVIEWS + 1)) and step + 1 < steps
