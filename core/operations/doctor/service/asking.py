"""One request to a running service, each over a connection of its own, so that a balancer deals them out."""

import asyncio
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.clock import wall_now

PATIENCE = 3.0
"""Seconds to connect, and for each part of an answer. The service itself decides within two."""
MOST = 4 * 1024 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What a running service answered to one request."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    began: float
    """Epoch seconds of this machine, when it was asked."""
    seconds: float
    coming: float = 0.0
    """Of these seconds, those from the first of the body to the last."""
    from_address: str = ""
    """This machine's, as its end of the connection is called."""

    @property
    def is_ours(self) -> bool:
        """Whether the service itself answered, and not what stands before it."""
        return "server-timing" in self.headers

    def json(self) -> dict[str, Any]:
        """Empty where it is no JSON object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer came."""

    reason: str
    hangs: bool = False
    """A connection was made, or accepted by the machine, and nothing came in time."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """What one request is."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Service:
    """A running service, or one replica of it, at an address such as `https://ticket-home.example`."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for what is no address."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it is no address such as https://ticket-home.example")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.has_tls = parts.scheme == "https"

    async def ask(self, asked: ServiceRequest) -> ServiceAnswer | Silence:
        """The answer, or why there is none within the time that one may take."""
        return await asyncio.to_thread(self._ask, asked)

    def _ask(self, asked: ServiceRequest) -> ServiceAnswer | Silence:
        connection = self._connection()
        try:
            began, started = wall_now().timestamp(), time.monotonic()
            connection.connect()
            address = str(connection.sock.getsockname()[0])
            connection.request(asked.method, asked.path, body=asked.body or None, headers=dict(asked.headers))
            answer = connection.getresponse()
            body = answer.read1(MOST)
            first = time.monotonic()
            body += answer.read(MOST)
            headers = {name.lower(): value for name, value in answer.getheaders()}
            ended = time.monotonic()
            return ServiceAnswer(answer.status, headers, body, began, ended - started, ended - first, address)
        except TimeoutError:
            return Silence(f"no answer within {PATIENCE:.0f} s", hangs=True)
        except ssl.SSLError as error:
            return Silence(f"TLS fails ({error.reason or type(error).__name__})")
        except (OSError, http.client.HTTPException) as error:
            return Silence(getattr(error, "strerror", None) or type(error).__name__)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self.has_tls:
            return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        # Whether the certificate is to be trusted is a check of its own; all others are asked all the same.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE, context=context)
