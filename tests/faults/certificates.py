"""A private certificate authority, as an organisation or a cloud's Redis has one, and what it signs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers.debian import program

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Signed:
    certificate: Path
    key: Path


class Authority:
    def __init__(self, folder: Path) -> None:
        self._openssl = program("openssl", "openssl")
        self._folder = folder
        self._key = folder / "ca.key"
        self.certificate = folder / "ca.pem"
        own = ("-x509", *KEY, "-days", "2", "-subj", "/CN=A private CA")
        self._run("req", *own, "-keyout", str(self._key), "-out", str(self.certificate))

    def sign(self, name: str) -> Signed:
        """A certificate and its key, for `name`: `IP:127.0.0.1`, or `DNS:redis.internal`."""
        base = self._folder / name.replace(":", "-")
        key, request, names, certificate = (base.with_suffix(f".{end}") for end in ("key", "csr", "ext", "pem"))
        self._run("req", *KEY, "-subj", "/CN=redis", "-keyout", str(key), "-out", str(request))
        names.write_text(f"subjectAltName={name}\n")
        by = ("-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial", "-days", "2")
        self._run("x509", "-req", "-in", str(request), *by, "-extfile", str(names), "-out", str(certificate))
        return Signed(certificate, key)

    def _run(self, *words: str) -> None:
        subprocess.run([str(self._openssl), *words], check=True, capture_output=True)
