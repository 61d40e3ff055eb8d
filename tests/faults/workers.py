"""`ticket-home serve` with several workers, on servers that a test gives it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from core.settings import Settings
from tests.factories.rows import PASSWORD
from tests.setup.serving import Serving, serving

COMMAND = str(Path(sys.executable).parent / "ticket-home")


def environment(settings: Settings) -> dict[str, str]:
    """What a process of its own needs to run under the test's settings."""
    listen_url = settings.database_listen_url
    return {
        "DATABASE_URL": settings.require_database_url(),
        "DATABASE_LISTEN_URL": listen_url.get_secret_value() if listen_url else "",
        "REDIS_URL": settings.require_redis_url(),
        "SECRET_KEYS": ",".join(key.get_secret_value() for key in settings.secret_keys),
        "CACHE_PREFIX": settings.cache_prefix,
        "CACHE_PUSH": str(settings.cache_push).lower(),
        "PATH": "/usr/bin:/bin",
    }


@contextmanager
def workers(settings: Settings, count: int, log: Path, options: Sequence[str] = ()) -> Iterator[Serving]:
    command = (COMMAND, "serve", "--workers", str(count), *options)
    with serving(*command, environment=environment(settings), log=log) as served:
        yield served


def worker_pids(served: Serving) -> list[int]:
    """Of the processes that serve: the children that uvicorn's master spawned, without Python's resource tracker."""
    pid = served.process.pid
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def bearer(url: str, username: str) -> dict[str, str]:
    """The header of a user who has just signed in."""
    login = {"username": username, "password": PASSWORD, "client": "mobile"}
    answer = httpx.post(f"{url}/v1/auth/login", json=login, timeout=20)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}
