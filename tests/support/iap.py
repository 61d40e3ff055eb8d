"""Google's part of single sign-on, played by a test: what signs assertions, and the server that has its keys."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

AUDIENCE = "/projects/123456/locations/southamerica-west1/services/ticket-home"
ALSO = "/projects/123456/global/backendServices/987"
"""A second one that the service is told of."""
ISSUER = "https://cloud.google.com/iap"


@dataclass(frozen=True)
class Signer:
    """A private key, and the id that its public half has in the set."""

    key_id: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, Any]:
        """As Google publishes it."""
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**public, "kid": self.key_id, "alg": "ES256", "use": "sig"}

    def assertion(self, email: str, /, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Of who has just come through the proxy. A claim that is None is left out."""
        headers = {"alg": "ES256", "typ": "JWT", "kid": self.key_id} | (header or {})
        return compact(headers, claims_of(email, **claims), self.signature)

    def signature(self, signing_input: bytes) -> bytes:
        """Whatever the header says of it."""
        return ECAlgorithm(ECAlgorithm.SHA256).sign(signing_input, self.key)


def claims_of(email: str, /, **claims: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600,
        "sub": "accounts.google.com:1234567890", "email": email, "hd": "example.org",
    }  # fmt: skip
    return {name: value for name, value in (usual | claims).items() if value is not None}


def part(content: bytes | dict[str, Any]) -> str:
    """One of a JWT's three."""
    written = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return urlsafe_b64encode(written).rstrip(b"=").decode()


def compact(
    header: dict[str, Any], claims: bytes | dict[str, Any], sign: Callable[[bytes], bytes] = lambda _: b""
) -> str:
    """A JWT in which nothing is checked."""
    signing_input = f"{part(header)}.{part(claims)}"
    return f"{signing_input}.{part(sign(signing_input.encode()))}"


@dataclass
class KeyServer:
    """Of a key set. `answer` is the status, headers and parts of the body that the next request gets."""

    url: str = ""
    asked: int = 0
    """How often."""
    answer: Callable[[], tuple[int, dict[str, str], Iterator[bytes]]] = lambda: (404, {}, iter(()))

    def publishes(self, *signers: Signer) -> None:
        self.says({"keys": [signer.jwk for signer in signers]})

    def says(self, body: Any, status: int = 200, **headers: str) -> None:
        """`body` as it is, or as JSON where it is no bytes."""
        written = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = lambda: (status, headers, iter([written]))


@contextmanager
def key_server(*signers: Signer) -> Iterator[KeyServer]:
    served = KeyServer()
    served.publishes(*signers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked += 1
            status, headers, parts = served.answer()
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                for one in parts:
                    self.wfile.write(one)
            except ConnectionError:
                pass  # it has heard enough: what the test is about

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name in the library
            """Nothing: the test counts."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}/public_key-jwk"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
