"""Content credentials by C2PA: signing what was made, and reading what a file brings along.

The work is done by the library `c2pa-python`, an optional extra that is loaded when it is first needed. It never opens
a connection: manifests elsewhere, revocation lists and time stamps stay where they are.
"""

import importlib.util
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from brushwork import __version__
from brushwork.files.provenance import SOURCE_TYPES

READABLE = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff", "MP4": "video/mp4"}
OFFLINE: Mapping[str, Any] = {"remote_manifest_fetch": False, "ocsp_fetch": False}
SIGNS = (b"c2pa", b"jumb")
"""Both stand in every file that holds a manifest."""


class SigningError(ValueError):
    """Files cannot be signed with what was given; says why."""


@dataclass(frozen=True)
class Credentials:
    """What the signed manifest of a file says, and whether the file is what was signed."""

    state: str
    """valid: as it was signed; trusted: and by a certificate that this server trusts; invalid: it was changed."""
    software: str
    issuer: str
    source_type: str
    problems: tuple[str, ...]
    """C2PA's own codes."""


def is_installed() -> bool:
    return importlib.util.find_spec("c2pa") is not None


class C2paSigner:
    """Signs with one certificate chain."""

    def __init__(self, certificates: bytes, key: bytes) -> None:
        if not is_installed():
            raise SigningError("the Python package c2pa-python is not installed; pip install 'brushwork[c2pa]'")
        self.certificates = certificates
        self.key = key
        self.algorithm = algorithm_of(certificates, key)
        self.try_out()

    def __repr__(self) -> str:
        return f"C2paSigner({self.algorithm})"

    def try_out(self) -> None:
        """Sign a pixel and read it back, so that an operator hears of what is wrong when the server starts."""
        pixel = io.BytesIO()
        Image.new("RGB", (1, 1)).save(pixel, "PNG")
        source_type = f"{SOURCE_TYPES}algorithmicMedia"
        try:
            found = credentials_in(self.sign(pixel.getvalue(), "image/png", source_type=source_type))
        except Exception as error:
            raise SigningError(f"a picture cannot be signed: {str(error).splitlines()[0][:300]}") from None
        if found is None or found.state == "invalid":
            problems = ", ".join(found.problems) if found else "no manifest"
            raise SigningError(f"what is signed does not verify: {problems}")

    def sign(self, data: bytes, kind: str, *, source_type: str) -> bytes:
        """The file with a signed manifest in it."""
        signed = io.BytesIO()
        self.sign_stream(io.BytesIO(data), signed, kind, source_type)
        return signed.getvalue()

    def sign_file(self, path: Path, kind: str, *, source_type: str) -> None:
        draft = path.with_name(f"{path.name}.signed")
        with path.open("rb") as source, draft.open("w+b") as target:
            self.sign_stream(source, target, kind, source_type)
        draft.replace(path)

    def sign_stream(self, source: Any, target: Any, kind: str, source_type: str) -> None:
        import c2pa

        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg[self.algorithm], sign_cert=self.certificates, private_key=self.key, ta_url=None
        )
        builder = {"thumbnail": {"enabled": False}}
        settings = c2pa.Settings.from_dict({"verify": dict(OFFLINE), "builder": builder})
        with (
            settings,
            c2pa.Context(settings) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest(source_type), context=context) as manifest_builder,
        ):
            manifest_builder.sign(signer, kind, source, target)


def manifest(source_type: str) -> dict[str, Any]:
    software = {"name": "Brushwork", "version": __version__}
    created = {"action": "c2pa.created", "digitalSourceType": source_type, "softwareAgent": software}
    return {
        "claim_generator_info": [software],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }


def algorithm_of(certificates: bytes, key: bytes) -> str:
    """How C2PA calls signatures by this key. Raises SigningError when the key is not the certificate's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        chain = x509.load_pem_x509_certificates(certificates)
    except ValueError as error:
        raise SigningError(f"the certificate file cannot be read: {error}") from None
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise SigningError(f"the key file cannot be read: {error}") from None
    public = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*public) != chain[0].public_key().public_bytes(*public):
        raise SigningError("the key does not belong to the first certificate of the file")
    if isinstance(private, ec.EllipticCurvePrivateKey):
        curves = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
        if private.curve.name in curves:
            return curves[private.curve.name]
    if isinstance(private, rsa.RSAPrivateKey):
        return "PS256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ED25519"
    raise SigningError("the key must be of P-256, P-384, P-521, RSA or Ed25519")


def has_manifest(data: bytes) -> bool:
    return all(sign in data for sign in SIGNS)


def credentials_in(data: bytes, *, kind: str = "image/png", anchors: bytes = b"") -> Credentials | None:
    """What the manifest in a file says, None when there is none. `anchors` are certificates to trust, PEM."""
    import c2pa

    trust = {"trust": {"trust_anchors": anchors.decode()}} if anchors else {}
    settings = c2pa.Settings.from_dict({"verify": {**OFFLINE, "verify_trust": bool(anchors)}, **trust})
    try:
        with (
            settings,
            c2pa.Context(settings) as context,
            c2pa.Reader(kind, io.BytesIO(data), context=context) as reader,
        ):
            found, state = reader.get_active_manifest() or {}, str(reader.get_validation_state() or "invalid")
            results = reader.get_validation_results() or {}
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error):
            return None
        return Credentials("invalid", "", "", "", (type(error).__name__.strip("_"),))
    failures = [failure["code"] for failure in results.get("activeManifest", {}).get("failure", ())]
    return Credentials(
        state.lower(),
        software=" ".join(str(value) for value in software_of(found)),
        issuer=str(found.get("signature_info", {}).get("issuer", "")),
        source_type=source_type_of(found),
        problems=tuple(dict.fromkeys(failures)),
    )


def software_of(found: Mapping[str, Any]) -> list[str]:
    first = (found.get("claim_generator_info") or [{}])[0]
    return [first[name] for name in ("name", "version") if name in first]


def source_type_of(found: Mapping[str, Any]) -> str:
    text = json.dumps(found.get("assertions", ()))
    return next((part.partition('"')[0] for part in text.split(SOURCE_TYPES)[1:]), "")


def root_of(certificates: bytes) -> bytes:
    """The last certificate of a chain: what its others stand on."""
    return certificates[certificates.rindex(b"-----BEGIN CERTIFICATE-----") :]
