"""PgBouncer before a test's PostgreSQL, lending connections by transaction: fewer than the service opens."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.support import machine
from tests.support.processes.services import free_port
from tests.support.servers.debian import program
from tests.support.servers.proxy import SOCKET, WireProxy

LENT = 2
"""Connections to PostgreSQL, for everybody together."""
STARTS = 10.0
"""Seconds."""
CONFIGURATION = """
[databases]
{database} = host={host}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {lent}
server_login_retry = 0.2
logfile = {folder}/log
"""


@contextmanager
def pooler(behind: WireProxy) -> Iterator[str]:
    """The URL of a running PgBouncer that reaches its database through `behind`."""
    binary = program("pgbouncer", "pgbouncer")
    url = make_url(behind.url)
    socket_folder = Path(str(url.query["host"]))
    listen = free_port()
    # Not in pytest's folder, which is root's alone.
    with tempfile.TemporaryDirectory(prefix="ticket-home-pooler-") as made:
        folder = Path(made)
        address = {"database": url.database, "host": socket_folder}
        (folder / "ini").write_text(CONFIGURATION.format(**address, listen=listen, folder=folder, lent=LENT))
        (folder / "users").write_text(f'"{url.username}" ""\n')
        # PgBouncer refuses to run as root.
        account = "nobody" if os.geteuid() == 0 else None
        if account is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, account)
            shutil.chown(socket_folder, account)
            (socket_folder / SOCKET).chmod(0o777)
        running = subprocess.Popen(
            [binary, "-q", folder / "ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=account, cwd="/"
        )
        try:
            _wait(running, listen, folder / "log")
            yield url.set(host="127.0.0.1", port=listen, query={}).render_as_string(hide_password=False)
        finally:
            running.send_signal(signal.SIGTERM)  # at once, in 1.18; newer ones wait for their clients at SIGINT
            running.wait(STARTS)


def _wait(running: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    def answers() -> bool:
        assert running.poll() is None, log.read_text() if log.exists() else "PgBouncer wrote no log"
        with socket.socket() as trying:
            return trying.connect_ex(("127.0.0.1", port)) == 0

    machine.wait_until(answers)
