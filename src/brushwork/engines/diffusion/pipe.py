"""The generic fallback: any pipeline of diffusers that draws from words, as it comes, one picture at a time.

Slower than a family with a step loop, and with less of what a prompt can say: whatever the pipeline would ignore in
silence is named by `unheard`. Progress and cancelling come through its callback, or through a hook on its denoiser.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting
from diffusers.pipelines import auto_pipeline
from PIL.Image import Image, Resampling

from brushwork.engines.base import Op, Sink
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.habits import ALWAYS, habits_of, has_negative, prompt_of, unheard
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.parts import LIBRARIES, Parts, ResidentParts, read_index
from brushwork.engines.diffusion.plan import Plan
from brushwork.errors import EngineFailed, Unavailable

DENOISERS = ("transformer", "unet", "prior", "prior_prior")
"""Components that are run once or twice a step."""
PRECISIONS: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


class PipeRunner:
    """One model, drawn by its own pipeline. Not safe to use from two threads."""

    def __init__(self, parts: Parts | Path, model: Model, options: DiffusionOptions) -> None:
        """`parts`, or a folder whose components all stay where they are loaded. With parts, `folder` is theirs."""
        self.parts = resident(parts, options) if isinstance(parts, Path) else parts
        self.folder: Path = (
            parts if isinstance(parts, Path) else getattr(parts, "folder", Path(model.checkpoint.folder))
        )
        self.model = model
        self.index = read_index(self.folder)
        self.habits = habits_of(self.class_name)
        if "prompt" not in inspect.signature(self.cls.__call__).parameters:
            raise Unavailable(f"The pipeline {self.class_name} of {model.name!r} does not draw from words.")

    @property
    def class_name(self) -> str:
        return str(self.index.get("_class_name"))

    @cached_property
    def cls(self) -> Any:
        """The pipeline's class. Only diffusers' own: no code comes with a checkpoint."""
        cls = getattr(diffusers, self.class_name, None)
        if not (isinstance(cls, type) and issubclass(cls, diffusers.DiffusionPipeline)):
            raise Unavailable(f"This diffusers has no pipeline {self.class_name}, which {self.model.name!r} needs.")
        return cls

    @property
    def ops(self) -> frozenset[Op]:
        """What diffusers has a pipeline for, with these components."""
        return frozenset({Op.TEXT_TO_IMAGE} | {op for op in (Op.VARY, Op.INPAINT) if self.class_for(op)})

    def class_for(self, op: Op) -> Any:
        """The class that does it; None when there is none."""
        if op is Op.TEXT_TO_IMAGE:
            return self.cls
        known = [name for name, cls in auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING.items() if cls is self.cls]
        return MAPPINGS[op].get(known[0]) if known else None

    def unheard(self, plan: Plan) -> tuple[str, ...]:
        """What of the plan the pipeline would leave aside in silence, as in `RowResult.degraded`."""
        return tuple(unheard(plan, self.model, self.habits, accepted_by(self.class_of(plan))))

    def class_of(self, plan: Plan) -> Any:
        op = kind_of(plan)
        cls = self.class_for(op)
        if cls is None:
            raise Unavailable(
                f"diffusers cannot do this with {self.model.name!r} ({op.replace('_', ' ')}).", op=op.value
            )
        return cls

    def draw(self, plan: Plan, sink: Sink) -> Image:
        """The finished picture, of the plan's size. RowCancelled, raised by the sink, goes through; all is reusable."""
        cls = self.class_of(plan)
        with ExitStack() as stack:
            pipe = self.assemble(stack)
            if cls is not self.cls:
                pipe = AUTOMATIC[kind_of(plan)].from_pipe(pipe)
            pipe.set_progress_bar_config(disable=True)
            try:
                with told(pipe, plan, sink) as watched, torch.inference_mode():
                    made = pipe(**self.arguments(plan, accepted_by(cls)), **watched)
            finally:
                forget(pipe)
        return picture_of(made, plan)

    def assemble(self, stack: ExitStack) -> Any:
        """The pipeline, around components that stay on the device as long as the stack is open."""
        needed, settings = self.cls._get_signature_keys(self.cls)
        usable = {name: self.is_usable(name) for name in needed}  # of all, before the first is loaded
        found = {name: stack.enter_context(self.parts.use(name)) if usable[name] else None for name in needed}
        return self.cls(**found, **{name: self.index[name] for name in settings if self.is_setting(name)})

    def is_usable(self, name: str) -> bool:
        """False for what the checkpoint does not have, or has with code that we do not run, where that is allowed."""
        if self.parts.has(name) and self.index.get(name, [None])[0] in LIBRARIES:
            return True
        if name in self.cls._optional_components or not self.parts.has(name):
            return False
        raise Unavailable(f"The {name} of {self.model.name!r} cannot be loaded without code of its own.")

    def is_setting(self, name: str) -> bool:
        value = self.index.get(name)
        if name == "requires_safety_checker":
            return False
        return value is not None and not isinstance(value, list)

    def arguments(self, plan: Plan, accepted: frozenset[str]) -> dict[str, Any]:
        """What the pipeline is told: of all that we have to say, what it has an argument for."""
        habits, seed = self.habits, plan.noise.seed if plan.noise.towards is None else plan.noise.towards
        said: dict[str, Any] = {
            **ALWAYS,
            "prompt": prompt_of(plan),
            habits.steps: plan.steps,
            habits.guidance: plan.guidance,
            "width": plan.width,
            "height": plan.height,
            "generator": torch.Generator("cpu").manual_seed(seed),
        }
        if has_negative(plan, self.model, habits, accepted):
            said["negative_prompt"] = plan.negative
        if plan.init is not None:
            # the pipeline rounds down: a little more, so that it is this many steps
            said |= {"image": plan.init, "strength": min(1.0, (plan.steps - plan.start + 1e-3) / plan.steps)}
        if plan.mask is not None:
            said["mask_image"] = plan.mask
        return {name: value for name, value in said.items() if name in accepted}


MAPPINGS: Mapping[Op, Mapping[str, Any]] = {
    Op.VARY: auto_pipeline.AUTO_IMAGE2IMAGE_PIPELINES_MAPPING,
    Op.INPAINT: auto_pipeline.AUTO_INPAINT_PIPELINES_MAPPING,
}
AUTOMATIC: Mapping[Op, Any] = {Op.VARY: AutoPipelineForImage2Image, Op.INPAINT: AutoPipelineForInpainting}


def resident(folder: Path, options: DiffusionOptions) -> ResidentParts:
    usual = "float32" if options.device == "cpu" else "bfloat16"
    dtype = PRECISIONS[usual if options.precision == "auto" else options.precision]
    return ResidentParts(folder, device=options.device, dtype=dtype)


def kind_of(plan: Plan) -> Op:
    """Which of the three kinds of pipeline draws it."""
    if plan.init is None:
        return Op.TEXT_TO_IMAGE
    return Op.VARY if plan.mask is None else Op.INPAINT


def accepted_by(cls: Any) -> frozenset[str]:
    return frozenset(inspect.signature(cls.__call__).parameters)


@contextmanager
def told(pipe: Any, plan: Plan, sink: Sink) -> Iterator[dict[str, Any]]:
    """Steps are reported to the sink as long as this lasts. Gives the arguments that make the pipeline tell them."""
    total = plan.steps - plan.start if plan.init is not None else plan.steps

    def step_done(_pipe: Any, step: int, _timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
        sink.step(plan.row, min(step + 1, total), total)
        return kept

    sink.step(plan.row, 0, total)
    if "callback_on_step_end" in accepted_by(type(pipe)):
        yield {"callback_on_step_end": step_done}
        return
    hooks = [part.register_forward_pre_hook(counting(plan, sink, total), with_kwargs=True) for part in denoisers(pipe)]
    try:
        yield {}
    finally:
        for hook in hooks:
            hook.remove()


def denoisers(pipe: Any) -> list[torch.nn.Module]:
    found = [pipe.components.get(name) for name in DENOISERS]
    return [part for part in found if isinstance(part, torch.nn.Module)]


def counting(plan: Plan, sink: Sink, total: int) -> Callable[..., None]:
    """A hook that counts timesteps: one may need two forward passes."""
    seen: list[Any] = []

    def before_pass(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = kwargs.get("timestep", args[1] if len(args) > 1 else len(seen))
        now = float(given.flatten()[0]) if isinstance(given, torch.Tensor) else float(given)
        if not seen or seen[-1] != now:
            seen.append(now)
        sink.step(plan.row, min(len(seen) - 1, total), total)

    return before_pass


def forget(pipe: Any) -> None:
    """Whatever a picture, cancelled or not, has left in the components."""
    for part in denoisers(pipe):
        if getattr(part, "is_cache_enabled", False):
            part._reset_stateful_cache()
    pipe.maybe_free_model_hooks()


def picture_of(made: Any, plan: Plan) -> Image:
    images = getattr(made, "images", None)
    if not images or not isinstance(images[0], Image):
        raise EngineFailed("The pipeline of this model gave no picture; nothing was charged.")
    image = images[0].convert("RGB")
    size = (plan.width, plan.height)
    return image if image.size == size else image.resize(size, Resampling.LANCZOS)
