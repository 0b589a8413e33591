"""What files say of themselves, in every container, and what is read from those that come back."""

import io
import re
import struct
from pathlib import Path

import pytest
from PIL import Image

from brushwork.engines.registry import ENGINES
from brushwork.files.images import encode_png
from brushwork.files.marks import MARKERS, Unmarkable, mark
from brushwork.files.provenance import LEARNED, SILENT, Making, Provenance, mark_in, packet_of
from tests.files.hostile import png

CANARY = 'a "red" fox & <secret> {CANARY} \u2014 привет'
MAKING = Making("diffusers", prompt=CANARY, seed=42, model="sdxl", recipe="ab" * 32)
KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/tiff": "TIFF"}
PICTURE = Image.effect_noise((33, 21), 60).convert("RGB")


def encoded(kind: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, KINDS[kind], **options)
    return buffer.getvalue()


def xmp_of(data: bytes) -> str:
    """As Pillow finds it, which knows nothing of how we wrote it."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
        found = found or picture.getexif().get(700)
    assert found, "no XMP"
    return found.decode() if isinstance(found, bytes) else str(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", ["minimal", "full"])
def test_a_marked_file_shows_the_same_picture_and_says_where_it_comes_from(kind: str, level: str) -> None:
    data = encoded(kind)

    marked = Provenance(level).stamp(data, kind, MAKING)  # type: ignore[arg-type]  # a level, from the list above

    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(marked))
    assert after.format == KINDS[kind]
    assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()
    said = xmp_of(marked)
    assert 'xmp:CreatorTool="Brushwork ' in said
    assert "digitalsourcetype/trainedAlgorithmicMedia" in said
    assert ("CANARY" in said) == (level == "full")
    assert ('brushwork:seed="42"' in said) == (level == "full")
    found = mark_in(marked)
    assert found is not None
    assert found.source_type == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("kind", KINDS)
def test_at_minimal_no_byte_tells_the_prompt_the_seed_or_the_recipe(kind: str) -> None:
    marked = Provenance().stamp(encoded(kind), kind, MAKING)

    for secret in (b"CANARY", b"fox", b"brushwork:seed", MAKING.recipe.encode(), b"sdxl"):
        assert secret not in marked


@pytest.mark.parametrize("kind", KINDS)
def test_at_none_a_file_stays_as_it_was_encoded(kind: str) -> None:
    data = encoded(kind)

    assert SILENT.stamp(data, kind, MAKING) == data


def test_at_none_a_png_holds_nothing_but_the_picture() -> None:
    data = SILENT.stamp(encode_png(PICTURE), "image/png", MAKING)

    assert set(chunks_of(data)) == {b"IHDR", b"IDAT", b"IEND"}


def chunks_of(data: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append(data[at + 4 : at + 8])
        at += 12 + length
    return found


def test_the_prompt_comes_back_whole_from_a_parser_of_xml() -> None:
    import xml.etree.ElementTree as ElementTree

    packet = packet_of(Making("diorama", prompt=CANARY + "\n\x00\x0b end"), "full").decode()

    tree = ElementTree.fromstring(re.sub(r"<\?xpacket.*?\?>", "", packet))
    description = tree.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert description is not None
    prompt = description.get("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}AIPromptInformation")
    assert prompt == CANARY + "\n end"


def test_the_same_picture_gets_the_same_bytes() -> None:
    data = encoded("image/png")

    assert Provenance("full").stamp(data, "image/png", MAKING) == Provenance("full").stamp(data, "image/png", MAKING)


@pytest.mark.parametrize(
    ("engine", "is_edit", "source_type"),
    [
        ("diffusers", False, "trainedAlgorithmicMedia"),
        ("flow", False, "trainedAlgorithmicMedia"),
        ("diffusers", True, "compositeWithTrainedAlgorithmicMedia"),
        ("diorama", False, "algorithmicMedia"),
        ("diorama", True, "compositeSynthetic"),
    ],
)
def test_the_kind_of_source_is_in_the_words_of_the_iptc(engine: str, is_edit: bool, source_type: str) -> None:
    assert Making(engine, is_edit=is_edit).source_type == source_type


def test_every_engine_is_known_to_be_learned_or_not() -> None:
    procedural = {"diorama", "noop"}

    assert {engine.name for engine in ENGINES} == LEARNED | procedural


def test_transparent_and_lossless_webp_stay_so() -> None:
    clear = Image.effect_noise((20, 31), 90).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize((20, 31)))
    for options in ({"lossless": True}, {"quality": 90}):
        data = encoded("image/webp", clear, **options)

        marked = Image.open(io.BytesIO(Provenance().stamp(data, "image/webp", MAKING)))

        assert marked.mode == "RGBA"
        assert marked.tobytes() == Image.open(io.BytesIO(data)).tobytes()


def test_a_film_gets_a_box_at_its_end_that_players_skip() -> None:
    film = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 12, b"mdat") + b"film"

    marked = Provenance().stamp(film, "video/mp4", MAKING)

    assert marked.startswith(film)
    size, name = struct.unpack_from(">I4s", marked, len(film))
    assert (size, name) == (len(marked) - len(film), b"uuid")
    assert mark_in(marked) is not None


def test_a_file_on_disk_is_marked_like_one_in_memory(tmp_path: Path) -> None:
    for kind in KINDS:
        path = tmp_path / "picture"
        path.write_bytes(encoded(kind))

        Provenance("full").stamp_file(path, kind, MAKING)

        assert path.read_bytes() == Provenance("full").stamp(encoded(kind), kind, MAKING)
        assert [file.name for file in tmp_path.iterdir()] == ["picture"]


@pytest.mark.parametrize("kind", MARKERS)
def test_what_is_not_of_its_kind_is_not_marked(kind: str) -> None:
    with pytest.raises(Unmarkable):
        mark(io.BytesIO(b"nothing of the kind, and long enough for any header"), io.BytesIO(), kind, b"packet")


def test_files_of_others_have_no_mark() -> None:
    assert mark_in(png()) is None
    assert mark_in(b'xmp:CreatorTool="Somebody else 2.0"') is None
