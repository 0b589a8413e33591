"""Numeric style codes: every code is a fixed mixture of words for medium, palette and light. Stable forever.

No picture is behind a code, so this is only an emulation of what such codes mean elsewhere. The lists may never be
changed in place; `VERSION` would have to grow and old codes to keep their words.
"""

from brushwork.engines.diffusion.planning.seeds import mix64

VERSION = 1
MEDIA = (
    "oil painting with visible brushwork", "loose watercolour on rough paper", "gouache illustration", "ink drawing",
    "risograph print", "woodblock print", "charcoal sketch", "soft pastel drawing", "35 mm film photograph",
    "large-format studio photograph", "matte painting", "flat vector illustration", "paper collage",
    "claymation still", "isometric 3D render", "fresco",
)  # fmt: skip
PALETTES = (
    "muted earth colours", "a palette of teal and orange", "pale pastel colours", "deep jewel colours",
    "black and gold", "faded vintage colours", "a monochrome blue palette", "warm ochre and sienna",
    "neon colours on black", "soft grey tones", "crimson and ivory", "forest greens",
    "lilac and mint", "high-contrast black and white", "sun-bleached colours", "a limited palette of three colours",
)  # fmt: skip
LIGHTS = (
    "soft diffuse light", "hard low sun", "misty morning light", "candlelight", "moonlight", "rim light",
    "overcast light", "golden hour", "stage light", "long shadows", "light through haze", "glowing backlight",
    "flat even light", "chiaroscuro", "dappled light", "dusk",
)  # fmt: skip


def chosen(seed: int) -> int:
    """The code of `--sref random`, 1 to 4294967295."""
    return mix64(seed, -VERSION) % 0xFFFFFFFF + 1


def words_of(code: int) -> str:
    """What a style code adds to a prompt."""
    mixed = mix64(code, VERSION)
    return ", ".join(words[mixed >> shift & 15] for words, shift in ((MEDIA, 8), (PALETTES, 24), (LIGHTS, 40)))
