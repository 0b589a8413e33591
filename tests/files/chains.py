"""Certificate chains as an operator might have them; made anew for each test run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Chain:
    """A signing certificate with its root behind it, and its key; PEM."""

    certificates: bytes
    key: bytes

    def written(self, folder: Path) -> tuple[str, str]:
        """The paths of the two files."""
        (folder / "chain.pem").write_bytes(self.certificates)
        (folder / "key.pem").write_bytes(self.key)
        return str(folder / "chain.pem"), str(folder / "key.pem")


def new_chain(*, purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION) -> Chain:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("Example Root", root_key, signed_by=root_key)
    leaf = certificate("Example Signer", key, signed_by=root_key, purpose=purpose)
    pem = [one.public_bytes(serialization.Encoding.PEM) for one in (leaf, root)]
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Chain(b"".join(pem), private)


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    signed_by: ec.EllipticCurvePrivateKey,
    purpose: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    now, is_root = datetime.now(UTC), purpose is None
    uses = {"key_cert_sign", "crl_sign"} if is_root else {"digital_signature"}
    built = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("Example Root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in uses for use in USES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()), critical=False)
    )
    if purpose is not None:
        built = built.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return built.sign(signed_by, hashes.SHA256())


def named(name: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Studio")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, name)])
