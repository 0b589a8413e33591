"""Open checkpoints in our own denoising loop, over the transformers, decoders and schedulers of diffusers.

`engine.py` is the way in. A row becomes a plan (`planning/`), plans of all jobs step together (`loop.py`), each model
family says how one step is computed (`families/`). torch is imported only where a worker draws.
"""

from brushwork.engines.diffusion.quiet import hush

hush()
