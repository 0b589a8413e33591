"""Clips by open checkpoints: one at a time, some steps of it between those of pictures, frames one after the other.

`choosing.py` says which model draws a clip, `planning.py` makes the row into plain numbers, `timing.py` has those of
time, and `facts.py` says what each family really does with what it is given. `filming.py` draws, `shooting.py` is what
a clip holds on the device, with `wan.py` for the denoiser, `coder.py` for frames into latents and back, `texts.py` for
words. `recipe.py` tells how, and makes the plan again.
"""
