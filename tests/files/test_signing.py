"""Content credentials: made with a chain of our own, read by the library that others read them with."""

import io
import socket
from pathlib import Path

import numpy as np
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from PIL import Image

from brushwork.engines.tools.video import Film, Reel
from brushwork.files.provenance import Making, Provenance, mark_in
from brushwork.files.signing import C2paSigner, SigningError, credentials_in, has_manifest, root_of
from tests.files.chains import Chain, new_chain

PICTURE = Image.effect_noise((64, 48), 60).convert("RGB")
MAKING = Making("diffusers", prompt="CANARY")


@pytest.fixture(scope="module")
def chain() -> Chain:
    return new_chain()


@pytest.fixture(scope="module")
def signed(chain: Chain) -> bytes:
    return provenance(chain).stamp(encoded("PNG"), "image/png", MAKING)


def provenance(chain: Chain) -> Provenance:
    return Provenance("minimal", C2paSigner(chain.certificates, chain.key))


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff"])
def test_a_signed_file_shows_the_same_picture_and_verifies(chain: Chain, kind: str) -> None:
    data = encoded(kind)

    made = provenance(chain).stamp(data, f"image/{kind}", MAKING)

    assert Image.open(io.BytesIO(made)).tobytes() == Image.open(io.BytesIO(data)).tobytes()
    assert has_manifest(made)
    found = credentials_in(made, kind=f"image/{kind}")
    assert found is not None
    assert found.state == "valid"
    assert found.issuer == "Example Studio"
    assert found.software.startswith("Brushwork ")
    assert found.source_type == "trainedAlgorithmicMedia"
    assert b"CANARY" not in made


def test_only_its_own_root_makes_a_signature_trusted(chain: Chain, signed: bytes) -> None:
    own = credentials_in(signed, anchors=root_of(chain.certificates))
    other = credentials_in(signed, anchors=root_of(new_chain().certificates))

    assert own is not None
    assert other is not None
    assert (own.state, other.state) == ("trusted", "valid")
    assert "signingCredential.untrusted" in other.problems


def test_a_changed_picture_is_told_from_the_one_that_was_signed(signed: bytes) -> None:
    at = signed.index(b"IDAT") + 40
    changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]

    found = credentials_in(changed)

    assert found is not None
    assert found.state == "invalid"
    assert "assertion.dataHash.mismatch" in found.problems


def test_a_file_without_a_manifest_has_no_credentials() -> None:
    assert credentials_in(encoded("PNG")) is None
    assert not has_manifest(encoded("PNG"))


def test_damaged_manifests_end_in_an_answer(signed: bytes) -> None:
    for at in range(0, len(signed), 97):
        credentials_in(signed[:at] + b"\xff\x00\xff" + signed[at + 3 :])
        credentials_in(signed[:at])


def test_reading_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may say that its manifest lies elsewhere; nobody goes there."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.5)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/manifest.c2pa"
    xmp = f'''<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{url}"/>
      </rdf:RDF></x:xmpmeta>'''
    buffer = io.BytesIO()
    PICTURE.save(buffer, "JPEG", xmp=xmp.encode())

    credentials_in(buffer.getvalue(), kind="image/jpeg")

    with listener, pytest.raises(TimeoutError):
        listener.accept()


def test_a_large_file_is_signed_on_disk(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded("JPEG"))

    provenance(chain).stamp_file(path, "image/jpeg", MAKING)

    found = credentials_in(path.read_bytes(), kind="image/jpeg")
    assert found is not None
    assert found.state == "valid"
    assert [file.name for file in tmp_path.iterdir()] == ["picture.jpg"]


def test_a_clip_is_marked_and_signed_and_plays_as_before(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with Film(path, width=64, height=48, fps=24) as film:
        for number in range(10):
            film.write(np.full((48, 64, 3), 20 * number, np.uint8))
    before = [frame.tobytes() for frame in Reel(path).frames()]

    provenance(chain).stamp_file(path, "video/mp4", MAKING)

    assert [frame.tobytes() for frame in Reel(path).frames()] == before
    data = path.read_bytes()
    assert mark_in(data) is not None
    found = credentials_in(data, kind="video/mp4", anchors=root_of(chain.certificates))
    assert found is not None
    assert (found.state, found.source_type) == ("trusted", "trainedAlgorithmicMedia")
    at = data.index(b"mdat") + 50
    changed = credentials_in(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], kind="video/mp4")
    assert changed is not None
    assert changed.state == "invalid"


def test_what_cannot_sign_is_refused_at_once_and_says_why(chain: Chain) -> None:
    other = new_chain()
    wrong = new_chain(purpose=ExtendedKeyUsageOID.SERVER_AUTH)

    for certificates, key, reason in (
        (b"nonsense", chain.key, "certificate file cannot be read"),
        (chain.certificates, b"nonsense", "key file cannot be read"),
        (chain.certificates, other.key, "does not belong"),
        (wrong.certificates, wrong.key, "cannot be signed|does not verify"),
    ):
        with pytest.raises(SigningError, match=reason):
            C2paSigner(certificates, key)
