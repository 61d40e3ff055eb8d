"""`ticket-home serve`: uvicorn over the application, in one process or several, and the end of everything with it."""

import errno
import gc
import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from importlib import import_module

from uvicorn.config import STARTUP_FAILURE

from api.server.bounds import Bounds
from api.server.master import serve
from api.server.prepared.hit_protocol import HitProtocol
from api.server.server import DrainingConfig
from core.settings import Settings
from core.telemetry.log import configure

APPLICATION = "api.server.application:application"
DRAIN_SECONDS = 8
"""What requests under way get after SIGTERM; with the rest of the shutdown a deploy is done in ten."""
BACKLOG = 2048
WATCH_INTERVAL = 0.25


class PortInUse(Exception):
    """The message names the address."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Connections made before the application is ready wait for it.

    Raises PortInUse; OSError for an address that is not this machine's.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listening = socket.socket(family, kind)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        # At once: two sockets may be bound to one port, but only one may listen.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"port {port} of {host} is in use, perhaps by another ticket-home") from error
        raise
    return listening


def configuration(workers: int, settings: Settings, *, loop: str = "uvloop") -> DrainingConfig:
    """How the service is served; `loop` as uvicorn takes it."""
    config = DrainingConfig(
        APPLICATION,
        factory=True,
        workers=workers,
        loop=loop,
        http=HitProtocol,
        ws="none",
        lifespan="on",
        # Our own log has a line per request, and standard logging's lines go through it (core/telemetry/log.py).
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    config.bounds = Bounds.of(settings)
    return config


def import_application() -> None:
    """What a process serves with, which takes half of its start. No garbage is collected from here until it serves."""
    gc.disable()
    import_module(APPLICATION.partition(":")[0])


def run(listening: socket.socket, workers: int, settings: Settings, announce: Callable[[], None]) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code. `announce` is called once the first answer was given."""
    config = configuration(workers, settings)
    # The master's log, too: what became of its workers.
    configure(settings.log_format, served=settings.served)
    threading.Thread(target=_announce, args=(listening, announce), daemon=True, name="announce").start()
    processes = serve(config, listening)
    return STARTUP_FAILURE if any(one.exitcode == STARTUP_FAILURE for one in processes) else 0


def end_with_parent() -> None:
    """For `make run`: whoever kills make means us, too."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_INTERVAL)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end with the parent").start()


def _announce(listening: socket.socket, announce: Callable[[], None]) -> None:
    """Ask as a client would: the connection waits in the backlog until the application answers."""
    host, port = listening.getsockname()[:2]
    asked = http.client.HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104
    try:
        asked.request("GET", "/livez")
        asked.getresponse().read()
    except (OSError, http.client.HTTPException):
        return  # it ended before it was ready, and says why itself
    finally:
        asked.close()
    announce()
