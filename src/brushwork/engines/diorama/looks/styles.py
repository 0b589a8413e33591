"""The style pass: what a picture is drawn with. One function a style, all in the table STYLES.

Works on finished display colours; knows the depth of things, but nothing of words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.looks.brushes import Field, luma


@dataclass(frozen=True)
class Sheet:
    """What a style may need besides the picture."""

    seed: int
    strength: float
    """0-1; about 0.3 at the default `--stylize`."""
    unit: float
    """Pixels of a length that is one pixel at 1024."""
    depth: Field
    """(H, W) metres, inf for the sky."""
    focus: float
    """Metres to the hero, or 0 when nothing is in focus."""
    has_edges: bool = True
    """False for a tile: no vignette, no paper margin."""
    frame: tuple[float, float, float, float] | None = None
    """Where the natural picture lies in a wider one: left, top, right, bottom in pixels."""

    @property
    def side(self) -> float:
        """The natural picture's shorter side, pixels."""
        return 1024 * self.unit

    def vignette(self, picture: Field, amount: float) -> Field:
        return brushes.vignette(picture, amount, self.frame) if self.has_edges else picture


Style = Callable[[Field, Sheet], Field]


def styled(picture: Field, style: str, sheet: Sheet) -> Field:
    """The picture in that style, clipped to 0..1."""
    return np.asarray(np.clip(STYLES[style](picture, sheet), 0, 1), np.float32)


def plain(picture: Field, sheet: Sheet) -> Field:
    """No word of style: a filmic finish that turns painterly as `--stylize` grows."""
    s, u = sheet.strength, sheet.unit
    out = brushes.bloom(picture, 0.10 + 0.45 * s, u)
    out = brushes.contrasted(out, 0.10 + 0.35 * s)
    out = brushes.saturated(out, 1.0 + 0.42 * s)
    if s > 0.36:
        stroke = brushes.along(out, brushes.flow(out, sigma=5 * u), reach=(3 + 8 * s) * u, samples=3)
        out = out + (stroke - out) * np.float32(min((s - 0.36) * 1.5, 0.85))
    if s > 0.45:  # above 200 or so: paint that stands on the canvas
        out = out + (oil(np.asarray(out, np.float32), sheet) - out) * np.float32((s - 0.45) * 1.3)
    if s > 0.05:
        grey = luma(out)[..., None]
        warm, cool = np.array([0.045, 0.018, -0.035], np.float32), np.array([-0.03, 0.012, 0.03], np.float32)
        out = np.asarray(out + (warm * grey + cool * (1 - grey)) * np.float32(0.9 * s), np.float32)
    return sheet.vignette(np.asarray(out, np.float32), 0.06 + 0.22 * s)


def photo(picture: Field, sheet: Sheet) -> Field:
    """A lens: what lies far behind the hero blurs, the curve is filmic, the grain fine."""
    out, u = picture, sheet.unit
    if sheet.focus > 0:
        far = np.clip((np.minimum(sheet.depth, 1e5) / sheet.focus - 1.25) / 2.5, 0, 1)
        near = np.clip((1 - np.minimum(sheet.depth, 1e5) / sheet.focus - 0.45) / 0.4, 0, 1)
        blur = cv2.GaussianBlur(np.asarray(np.maximum(far, near), np.float32), (0, 0), 2 * u)[..., None]
        soft, softer = brushes.blurred(out, 2.4 * u), brushes.blurred(brushes.bloom(out, 0.25, u), 6.0 * u)
        out = out + (soft - out) * np.clip(blur * 2, 0, 1)
        out = out + (softer - out) * np.clip(blur * 2 - 1, 0, 1) * 0.9
    out = brushes.bloom(np.asarray(out, np.float32), 0.18, u, threshold=0.8)
    out = brushes.contrasted(out, 0.32)
    out = brushes.saturated(out, 0.94) * np.array([1.015, 1.0, 0.985], np.float32)
    grain = brushes.noise(out.shape[:2], sheet.seed, 0.8 * u)[..., None]
    return sheet.vignette(np.asarray(out + grain * 0.017, np.float32), 0.20)


def watercolor(picture: Field, sheet: Sheet) -> Field:
    """Washes with darker rims, granulating pigment, white paper at the edges."""
    u, shape = sheet.unit, picture.shape[:2]
    wash = brushes.warped(
        brushes.smoothed(picture, unit=sheet.unit, passes=3, range_=0.16), sheet.seed, reach=5 * u, size=7 * u
    )
    wash = brushes.blurred(wash, 1.2 * u)
    levels = 7.0
    steps = np.round(wash * levels) / levels
    wash = wash * 0.55 + brushes.blurred(np.asarray(steps, np.float32), 1.4 * u) * 0.45
    grey = luma(wash)
    rims = np.clip(np.abs(brushes.blurred(grey, 3.2 * u) - grey) * 6, 0, 0.5)[..., None]
    pigment = np.clip(1 - wash, 0, 1) ** 1.12 * (0.84 + 0.08 * sheet.strength)
    tooth = brushes.paper(shape, sheet.seed + 9, u)[..., None]
    pools = brushes.noise(shape, sheet.seed + 3, 46 * u)[..., None]
    pigment = pigment * (1 + 0.10 * pools + 0.15 * tooth * (0.4 + pigment)) + rims * pigment * 1.2
    if sheet.has_edges:
        pigment = pigment * torn_edge(shape, sheet.seed, u)[..., None]
    sheet_white = np.array([0.985, 0.972, 0.945], np.float32) + tooth * 0.012
    out = sheet_white - np.clip(pigment, 0, 0.97) * np.array([0.98, 0.97, 0.93], np.float32)
    return brushes.saturated(np.asarray(np.clip(out, 0, 1), np.float32), 1.28)


def torn_edge(shape: tuple[int, ...], seed: int, unit: float) -> Field:
    """1 inside, 0 on the white margin, with a brushed border."""
    height, width = shape[:2]
    y = np.minimum(np.arange(height), height - 1 - np.arange(height)).astype(np.float32)[:, None]
    x = np.minimum(np.arange(width), width - 1 - np.arange(width)).astype(np.float32)[None, :]
    edge = np.minimum(x, y) / unit
    rough = (
        brushes.noise((height, width), seed + 7, 16 * unit) * 6 + brushes.noise((height, width), seed + 8, 3 * unit) * 2
    )
    return np.asarray(np.clip((edge - 26 + rough) / 5, 0, 1), np.float32)


def oil(picture: Field, sheet: Sheet) -> Field:
    """Thick strokes that follow the forms, lit from the side, on canvas."""
    u, shape = sheet.unit, picture.shape[:2]
    base = brushes.saturated(brushes.contrasted(picture, 0.15), 1.22 + 0.2 * sheet.strength)
    base = brushes.smoothed(base, passes=2, range_=0.14)
    base = brushes.warped(base, sheet.seed, reach=4 * u, size=6 * u)
    tangent = brushes.flow(base, sigma=7 * u)
    swirl = brushes.noise(shape, sheet.seed + 2, 60 * u) * (0.35 + 0.5 * sheet.strength)
    c, s = np.cos(swirl), np.sin(swirl)
    tangent = (tangent[0] * c - tangent[1] * s, tangent[0] * s + tangent[1] * c)
    reach = (9 + 9 * sheet.strength) * u
    # Bristles: noise drawn out along the strokes; they vary the colour and raise the paint.
    bristle = brushes.along(brushes.noise(shape, sheet.seed, 1.3 * u), tangent, reach=reach, samples=6)
    bristle /= max(float(bristle.std()), 1e-6)
    patches = brushes.along(brushes.noise(shape, sheet.seed + 1, 4.5 * u), tangent, reach=reach, samples=5)
    patches /= max(float(patches.std()), 1e-6)
    out = brushes.along(base, tangent, reach=reach * 0.7, samples=4)
    tone = np.clip(0.5 + 0.5 * luma(out), 0, 1)[..., None]
    out = out + patches[..., None] * np.array([0.030, 0.024, 0.020], np.float32) * tone + bristle[..., None] * 0.012
    height = cv2.GaussianBlur(bristle * 0.6 + patches * 0.5, (0, 0), 0.9 * u)
    relief = cv2.Sobel(height, cv2.CV_32F, 1, 0) * 0.5 + cv2.Sobel(height, cv2.CV_32F, 0, 1) * 0.7
    out = out * (1 - np.clip(relief, -1.5, 1.5)[..., None] * 0.046)
    yy, xx = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    weave = (np.sin(xx * (2.1 / u)) + np.sin(yy * (2.1 / u))) * 0.008
    return np.asarray(out + weave.astype(np.float32)[..., None], np.float32)


def pixel(picture: Field, sheet: Sheet) -> Field:
    """A small picture in few colours, enlarged without softness."""
    height, width = picture.shape[:2]
    cells = 144 if sheet.strength < 0.5 else 112
    vivid = brushes.saturated(brushes.contrasted(picture, 0.25), 1.3)
    scale = cells / sheet.side
    small = cv2.resize(vivid, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    edge = small - cv2.GaussianBlur(small, (0, 0), 1.0)
    small = np.clip(small + edge * 0.7, 0, 1)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47
    tiles = np.tile(bayer, (small.shape[0] // 4 + 1, small.shape[1] // 4 + 1))[: small.shape[0], : small.shape[1]]
    few = brushes.reduced(
        np.asarray(np.clip(small + tiles[..., None] * 0.045, 0, 1), np.float32), 30, size=min(small.shape[:2])
    )
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)


def pencil(picture: Field, sheet: Sheet) -> Field:
    """Outlines and crossed hatching in graphite on rough paper."""
    u, shape = sheet.unit, picture.shape[:2]
    grey = luma(brushes.smoothed(picture, unit=sheet.unit, passes=1))
    low, high = brushes.remember("tones", lambda: np.quantile(grey[::8, ::8], (0.01, 0.94)))
    tone = np.clip((grey - low) / max(high - low, 0.05), 0, 1) ** 0.9
    dark = np.zeros(shape, np.float32)
    for number, (angle, below) in enumerate(((0.7, 0.94), (-0.6, 0.60), (0.15, 0.36), (1.35, 0.20))):
        hatch = brushes.hatching(shape, angle, (7.6, 7.0, 6.2, 5.6)[number] * u, sheet.seed + number, u)
        cover = np.clip((below - tone) * 2.0, 0, 1)  # the darker, the wider each stroke
        dark += np.clip((hatch - 0.92 + 0.75 * cover) * 1.8, 0, 1) * 0.44 * np.minimum(cover * 4, 1) + cover * 0.09
    ink = brushes.lines(picture, sigma=1.35 * u, sharp=26, threshold=0.010) * 0.9
    tooth = brushes.paper(shape, sheet.seed, u)
    graphite = np.clip(dark * (0.95 + 0.22 * tooth) + ink * (0.95 + 0.2 * tooth), 0, 0.92)
    page = np.array([0.965, 0.955, 0.93], np.float32) + tooth[..., None] * 0.014
    return np.asarray(page - graphite[..., None] * np.array([0.88, 0.87, 0.82], np.float32), np.float32)


def ukiyo_e(picture: Field, sheet: Sheet) -> Field:
    """Few flat colours within dark lines, a graded sky, on warm paper."""
    u, shape = sheet.unit, picture.shape[:2]
    flat_ = brushes.few_colours(brushes.saturated(picture, 1.15), 16, median=5, side=sheet.side)
    flat_ = brushes.saturated(flat_, 0.92)
    ink = np.array(
        [[0.10, 0.16, 0.30], [0.15, 0.32, 0.48], [0.42, 0.58, 0.62], [0.86, 0.80, 0.66], [0.97, 0.92, 0.80]], np.float32
    )
    grey = luma(flat_)
    grades = np.stack([np.interp(grey, (0.0, 0.3, 0.55, 0.8, 1.0), ink[:, channel]) for channel in range(3)], 2)
    vivid = np.clip((flat_.max(2) - flat_.min(2) - 0.14) * 3.2, 0, 1)[..., None]
    out = grades * (1 - 0.78 * vivid) + flat_ * 0.78 * vivid
    top = np.clip(1 - np.arange(shape[0], dtype=np.float32)[:, None] / (0.24 * shape[0]), 0, 1) ** 1.6
    sky = (~np.isfinite(sheet.depth)).astype(np.float32)
    out = out + (np.array([0.10, 0.22, 0.42], np.float32) - out) * (top * sky * 0.75)[..., None]
    line = brushes.lines(brushes.blurred(picture, 0.8 * u), sigma=1.5 * u, sharp=30, threshold=0.014)
    out = out + (np.array([0.09, 0.10, 0.16], np.float32) - out) * line[..., None] * 0.9
    fibre = brushes.noise((shape[0], max(8, shape[1] // 12)), sheet.seed, 1.0 * u)
    grain = cv2.resize(fibre, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)[..., None]
    page = np.array([1.0, 0.972, 0.91], np.float32)
    return np.asarray(
        out * page * 0.97 + 0.02 + grain * 0.012 + brushes.paper(shape, sheet.seed, u)[..., None] * 0.012, np.float32
    )


def flat(picture: Field, sheet: Sheet) -> Field:
    """Cut paper: a dozen clean colours, no texture, no lines."""
    vivid = brushes.saturated(brushes.contrasted(picture, 0.2), 1.3)
    return np.asarray(
        brushes.few_colours(vivid, 15 if sheet.strength < 0.6 else 11, median=7, side=sheet.side) * 1.02 + 0.012,
        np.float32,
    )


def anime(picture: Field, sheet: Sheet) -> Field:
    """Cel shading, clean lines, luminous colour, a bloom over bright skies."""
    u = sheet.unit
    out = brushes.smoothed(picture, unit=sheet.unit, passes=3, range_=0.13)
    grey = np.maximum(luma(out), 1e-3)
    levels = 6.0
    step = grey * levels
    cel = (np.floor(step) + np.clip((step - np.floor(step) - 0.5) * 5 + 0.5, 0, 1)) / levels
    near = np.isfinite(sheet.depth).astype(np.float32)
    mix = 0.35 + 0.4 * near  # the sky keeps its gradients
    out = np.asarray(out * ((grey + (cel - grey) * mix) / grey)[..., None], np.float32)
    out = brushes.saturated(np.asarray(np.clip(out, 0, 1), np.float32), 1.42)
    out = out + (1 - out) * 0.05
    line = brushes.lines(picture, sigma=1.0 * u, sharp=18, threshold=0.016) * 0.62
    out = out + (np.array([0.13, 0.10, 0.24], np.float32) - out) * line[..., None]
    out = brushes.bloom(np.asarray(out, np.float32), 0.42 + 0.3 * sheet.strength, u, threshold=0.66)
    return np.asarray(out * np.array([1.0, 0.995, 1.03], np.float32), np.float32)


def mono(picture: Field, sheet: Sheet) -> Field:
    """Black and white film: a red filter's deep skies, full range, grain."""
    grey = np.asarray(np.clip(picture @ np.array([0.52, 0.38, 0.10], np.float32), 0, 1), np.float32)
    low, high = brushes.remember("tones", lambda: np.quantile(grey[::8, ::8], (0.005, 0.995)))
    grey = np.clip((grey - low) / max(high - low, 0.1), 0, 1).astype(np.float32)
    out = np.repeat(brushes.contrasted(grey, 0.45 + 0.3 * sheet.strength)[..., None], 3, 2)
    out = brushes.bloom(np.asarray(out, np.float32), 0.14, sheet.unit, threshold=0.8)
    grain = brushes.noise(out.shape[:2], sheet.seed, 0.9 * sheet.unit)[..., None]
    return sheet.vignette(np.asarray(out + grain * 0.026 * (1.1 - out), np.float32), 0.3)


def low_poly(picture: Field, sheet: Sheet) -> Field:
    """Triangles between points that gather where the picture changes, each of one colour."""
    height, width = picture.shape[:2]
    scale = 512 / sheet.side
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    grey = luma(np.asarray(small, np.float32))
    edge = cv2.GaussianBlur(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 5)), (0, 0), 1.5)
    vivid = brushes.saturated(np.asarray(small, np.float32), 1.2)
    out = cv2.resize(vivid, (width, height))
    triangles, shades = brushes.remember("mesh", lambda: _mesh(np.asarray(edge, np.float32), sheet))
    for triangle, shade in zip(triangles, shades, strict=True):
        spots = np.concatenate([triangle.mean(0, keepdims=True), (triangle + triangle.mean(0)) / 2])
        cols, rows = np.clip(spots[:, 0].astype(int), 0, w - 1), np.clip(spots[:, 1].astype(int), 0, h - 1)
        colour = vivid[rows, cols].mean(0) + shade
        corners = np.round(triangle / scale * 16).astype(np.int32)
        cv2.fillConvexPoly(out, corners, tuple(float(c) for c in np.clip(colour, 0, 1)), lineType=cv2.LINE_8, shift=4)
    return np.asarray(out, np.float32)


def _mesh(edge: Field, sheet: Sheet) -> tuple[Field, Field]:
    """Triangles (n, 3, 2) over a picture, and how much lighter or darker each is. `edge`: where the picture changes."""
    h, w = edge.shape
    rng = np.random.default_rng([sheet.seed, 43])
    if sheet.focus > 0:  # smaller triangles on what the picture is about
        hero = (np.abs(sheet.depth / sheet.focus - 1) < 0.02).astype(np.float32)
        edge = edge * (1 + 12 * cv2.resize(hero, (w, h), interpolation=cv2.INTER_AREA))
    chance = (edge / max(float(edge.mean()), 1e-6) + 0.16).ravel().astype(np.float64)
    picks = rng.choice(h * w, size=int(3600 - 1900 * sheet.strength), replace=False, p=chance / chance.sum())
    points = [(float(p % w), float(p // w)) for p in picks]
    border = [(float(x), float(y)) for x in np.linspace(0, w - 1, 13) for y in (0, h - 1)]
    border += [(float(x), float(y)) for y in np.linspace(0, h - 1, 13) for x in (0, w - 1)]
    mesh = cv2.Subdiv2D((0, 0, w, h))
    mesh.insert([*border, *points])
    triangles = np.asarray(mesh.getTriangleList(), np.float32).reshape(-1, 3, 2)
    inside = ((triangles >= 0) & (triangles <= np.array([w, h], np.float32))).all(axis=(1, 2))
    shades = rng.uniform(-0.035, 0.035, len(triangles))
    return triangles[inside], np.asarray(shades[inside])


def neon(picture: Field, sheet: Sheet) -> Field:
    """Night, magenta and cyan: contours glow like tubes."""
    u = sheet.unit
    smooth = brushes.smoothed(picture, unit=sheet.unit, passes=2)
    grey = luma(smooth)
    soft = cv2.GaussianBlur(grey, (0, 0), 1.6 * u)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    steep = brushes.remember("steep", lambda: float(np.quantile(np.abs(gx[::4, ::4]), 0.97)))
    edge = np.clip(np.sqrt(gx * gx + gy * gy) * 5.5 / max(steep * 12, 0.05) - 0.06, 0, 1)
    height, width = grey.shape
    coarse = brushes.noise((max(2, height // 8), max(2, width // 8)), sheet.seed, 20 * u)
    hue = np.clip(np.linspace(0, 0.8, coarse.shape[0], dtype=np.float32)[:, None] + coarse * 0.22, 0, 1)
    stops = np.array([[0.25, 0.95, 1.0], [0.55, 0.35, 1.0], [1.0, 0.15, 0.75], [1.0, 0.45, 0.35]], np.float32)
    tube = np.stack([np.interp(hue, (0, 0.35, 0.7, 1.0), stops[:, c]) for c in range(3)], 2).astype(np.float32)
    tube = np.asarray(cv2.resize(tube, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    vivid = np.clip(brushes.saturated(smooth, 2.2), 0, 1)
    tube = tube * 0.62 + vivid * 0.38 * np.array([1.2, 0.9, 1.4], np.float32)
    ramp = grey[..., None]
    base = (
        np.array([0.03, 0.01, 0.10], np.float32)
        + ramp * np.array([0.25, 0.08, 0.35], np.float32)
        + ramp * ramp * np.array([0.10, 0.06, 0.06], np.float32)
    )
    base = base * 0.8 + vivid * 0.24
    light = tube * edge[..., None]
    glow = (
        brushes.blurred(np.asarray(light, np.float32), 5 * u) * 1.3
        + brushes.blurred(np.asarray(light, np.float32), 20 * u) * 1.3
    )
    return np.asarray(
        base + light * 0.95 + glow * (0.8 + 0.5 * sheet.strength) + (edge**3)[..., None] * 0.25, np.float32
    )


def vintage(picture: Field, sheet: Sheet) -> Field:
    """A print from the seventies: faded blacks, amber light, a leak, dust."""
    u, shape = sheet.unit, picture.shape[:2]
    out = brushes.saturated(brushes.blurred(picture, 0.7 * u), 0.62)
    out = 0.085 + out * 0.86
    grey = luma(out)[..., None]
    amber = (np.array([1.12, 1.0, 0.76], np.float32) - 1) * (0.45 + 0.55 * grey)
    out = out * (1 + amber) + (1 - grey) * np.array([0.03, 0.012, 0.045], np.float32)
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(0, 1, shape[1], dtype=np.float32)[None, :]
    leak = np.exp(-((x - 1.02) ** 2 * 14 + (y - 0.25) ** 2 * 5))[..., None] * (0.22 + 0.2 * sheet.strength)
    out = 1 - (1 - out) * (1 - leak * np.array([1.0, 0.42, 0.12], np.float32))
    grain = brushes.noise(shape, sheet.seed, 1.1 * u)[..., None]
    out = sheet.vignette(np.asarray(out + grain * 0.022, np.float32), 0.34)
    dust = brushes.noise(shape, sheet.seed + 4, 1.2 * u) > 4.1
    return np.asarray(np.where(dust[..., None], 0.92, out), np.float32)


def pop_art(picture: Field, sheet: Sheet) -> Field:
    """Hard colours, black lines, printed dots in the half tones."""
    u, shape = sheet.unit, picture.shape[:2]
    smooth = brushes.smoothed(brushes.saturated(brushes.contrasted(picture, 0.4), 1.9), passes=3, range_=0.2)
    steps = 3.0
    hard = np.clip(np.round(smooth * steps) / steps, 0, 1)
    hard = np.clip(hard * 0.8 + smooth * 0.2, 0, 1)
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    pitch = np.array((9.5 - 2 * sheet.strength) * u, np.float32)
    a, b = (x + y) * np.float32(0.7071) / pitch, (x - y) * np.float32(0.7071) / pitch
    dots = np.sin(a * 2 * np.pi) * np.sin(b * 2 * np.pi)
    tone = luma(smooth)
    size = np.clip(1.15 - tone * 1.3, -1, 1)
    printed = np.clip((dots - (1 - size * 1.25)) * 3.2 * u + 0.5, 0, 1)[..., None]
    page = np.array([1.0, 0.97, 0.90], np.float32)
    out = hard * page
    out = out * (1 - printed * 0.52) + printed * 0.31 * np.clip(hard, 0, 1) ** 2.4
    line = brushes.lines(brushes.blurred(picture, 1.2 * u), sigma=2.0 * u, sharp=34, threshold=0.016)
    return np.asarray(out * (1 - line[..., None] * 0.95), np.float32)


def clay(picture: Field, sheet: Sheet) -> Field:
    """Modelled: rounded tones, finger marks, soft light, a shallow focus as of a small stage."""
    u, shape = sheet.unit, picture.shape[:2]
    out = brushes.smoothed(picture, unit=sheet.unit, passes=3, range_=0.2)
    out = brushes.along(out, brushes.flow(out, sigma=4 * u), reach=5 * u, samples=3)
    out = brushes.saturated(out, 1.3)
    bumps = brushes.noise(shape, sheet.seed, 9 * u) * 0.5 + brushes.noise(shape, sheet.seed + 1, 3.5 * u) * 0.22
    height = brushes.blurred(luma(out), 2.2 * u) * 14 + bumps
    dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0) / u, cv2.Sobel(height, cv2.CV_32F, 0, 1) / u
    light = np.clip(-(dx * 0.45 + dy * 0.6) * 0.055, -0.2, 0.2)
    out = out * (1 + light[..., None]) + np.clip(light - 0.05, 0, 1)[..., None] * 0.6
    out = 0.04 + out * 0.97
    y = np.abs(np.linspace(-1, 1, shape[0], dtype=np.float32) - 0.12)[:, None, None]
    soft = brushes.blurred(np.asarray(out, np.float32), 3.4 * u)
    return np.asarray(out + (soft - out) * np.clip((y - 0.45) * 1.6, 0, 0.85), np.float32)


STYLES: Mapping[str, Style] = {
    "none": plain,
    "photo": photo,
    "watercolor": watercolor,
    "oil": oil,
    "pixel": pixel,
    "pencil": pencil,
    "ukiyo_e": ukiyo_e,
    "flat": flat,
    "anime": anime,
    "mono": mono,
    "low_poly": low_poly,
    "neon": neon,
    "vintage": vintage,
    "pop_art": pop_art,
    "clay": clay,
}
