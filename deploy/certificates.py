"""A private authority, and a certificate of it for each server of compose.yaml, made once and with the service's image.

    python certificates.py FOLDER postgres=999:999 redis=999:999 nginx

makes FOLDER/authority/ca.pem, which everybody may read, and of each named server FOLDER/NAME/: ca.pem, certificate.pem
(for NAME, localhost and 127.0.0.1) and key.pem, which only its owner (user:group, by number) may read. The authority's
own key is kept nowhere: nobody can sign another certificate. Once FOLDER/authority/ca.pem is there nothing is made; to
renew, remove it, run this again, and restart the servers and the service.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

VALID = timedelta(days=820)
"""Clients refuse server certificates that are valid for more than 825 days."""


class Authority:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ticket Home's own authority")])
        certificate = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = self._signed(certificate)

    def sign(self, name: str) -> tuple[bytes, bytes]:
        """(certificate, key), both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._builder(subject, key).add_extension(x509.SubjectAlternativeName(names), critical=False)
        return self._signed(certificate), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            # Machines' clocks differ.
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + VALID)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)


def put(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Whole or not at all, and never readable by more than it is to be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.chmod(mode)
    if owner is not None:
        os.chown(unfinished, *owner)
    unfinished.replace(path)


def main(folder: Path, servers: list[str]) -> None:
    public = folder / "authority" / "ca.pem"
    if public.exists():
        until = x509.load_pem_x509_certificate(public.read_bytes()).not_valid_after_utc
        print(f"{public} is there, until {until:%Y-%m-%d}.")
        return
    authority = Authority()
    for server in servers:
        name, _, ids = server.partition("=")
        user, _, group = ids.partition(":")
        certificate, key = authority.sign(name)
        put(folder / name / "key.pem", key, 0o600, (int(user), int(group)) if ids else None)
        put(folder / name / "certificate.pem", certificate, 0o644)
        put(folder / name / "ca.pem", authority.certificate, 0o644)
    # Last: what was cut off before is made anew.
    put(public, authority.certificate, 0o644)
    print(f"Made {public} and the certificates of {len(servers)} servers.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
