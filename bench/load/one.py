"""Requests one after the other over one connection, for what is not measured."""

import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.load.closed import RECEIVED, SILENCE, is_whole


@dataclass(frozen=True)
class Answer:
    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head[9:12])

    def header(self, name: bytes) -> str:
        """Its value; empty where there is none. `name` in any case."""
        found = re.search(rb"\r\n" + re.escape(name) + rb": ([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode() if found else ""


def exchanges(port: int, requests: Iterable[bytes]) -> Iterator[Answer]:
    """The answer to each. Raises ConnectionError where the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=SILENCE) as connection:
        for request in requests:
            connection.sendall(request)
            data = b""
            while not is_whole(data):
                received = connection.recv(RECEIVED)
                if not received:
                    raise ConnectionError("the server closed a connection")
                data += received
            head, _, body = data.partition(b"\r\n\r\n")
            yield Answer(head, body)
