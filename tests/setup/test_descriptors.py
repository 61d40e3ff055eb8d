"""More clients than descriptors: whoever comes is served, who was idle for longest goes, and the log says it once."""

import re
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import serving
from tests.support.signing_in import bearer

DESCRIPTORS = 256
CLIENTS = 3 * DESCRIPTORS
HALF = b"GET /v1/doctors HTTP/1.1\r\nHost: a\r\n"


def test_whoever_comes_is_served_while_others_hold_all_connections(
    settings: Settings, seed: Seed, tmp_path: Path
) -> None:
    limited = ("/bin/sh", "-c", f'ulimit -n {DESCRIPTORS} && exec "$@"', "sh", TICKET_HOME, "serve")
    # Nobody is closed for having been silent.
    given = environment(settings) | {"HEAD_SECONDS": "3600", "KEEP_ALIVE_SECONDS": "3600"}
    with serving(*limited, environment=given, log=tmp_path / "log") as served, ExitStack() as held:
        headers = bearer(served.url, seed.sant.clinical)
        for number in range(CLIENTS):
            one = held.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=20))
            if number % 2:
                one.sendall(HALF)
            if number % 50 == 0:
                assert httpx.get(f"{served.url}/v1/doctors", headers=headers, timeout=20).status_code == 200
        first_of_all = socket.create_connection(("127.0.0.1", served.port), timeout=20)
        with first_of_all:
            first_of_all.sendall(HALF + b"Connection: close\r\n\r\n")
            assert first_of_all.recv(100).startswith(b"HTTP/1.1 401")
        open_now = len(list(Path(f"/proc/{served.process.pid}/fd").iterdir()))
        assert open_now < DESCRIPTORS
    log = (tmp_path / "log").read_text()
    assert len(re.findall("as many as there are descriptors", log)) == 1
    assert "Too many open files" not in log
