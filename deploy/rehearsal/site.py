"""compose.yaml brought up without an engine, in the order that it says, and each service ended by its own signal."""

import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from deploy.rehearsal import compose
from deploy.rehearsal.compose import Service
from deploy.rehearsal.containers import Containers
from deploy.rehearsal.image import Image

LOOK: Final = 0.3
PATIENCE: Final = 90.0
"""Seconds after which what has not come is taken for never."""
MAKE_DATABASE: Final = """
printf %s "$POSTGRES_PASSWORD" > /tmp/password
initdb -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 $POSTGRES_INITDB_ARGS
echo "CREATE DATABASE $POSTGRES_USER" | postgres --single postgres
"""
"""As PostgreSQL's image does at its first start."""


@dataclass
class Running:
    process: "subprocess.Popen[bytes]"
    pid: int
    """Of the container's first process, as it is seen from outside."""


class Site:
    """`given` are compose.yaml's variables; `image` has been built outside a container; `folder` gets volumes and logs.

    Raises machine.Missing and compose.Missing.
    """

    def __init__(self, folder: Path, image: Image, given: Mapping[str, str]) -> None:
        self._folder = folder
        self._image = image
        self.given = given
        self.services = {name: Service(name, said) for name, said in compose.read(given)["services"].items()}
        self.containers = Containers(folder, image, self.services)
        self.running: dict[str, Running] = {}
        self._done: set[str] = set()

    def client(self) -> httpx.AsyncClient:
        """Speaks to nginx, and verifies it."""

        async def named(request: httpx.Request) -> None:
            request.extensions["sni_hostname"] = "nginx"

        trusting = ssl.create_default_context(cafile=str(self.containers.volume("authority") / "ca.pem"))
        url = f"https://{self.containers.address('nginx')}:8443"
        return httpx.AsyncClient(base_url=url, verify=trusting, timeout=30, event_hooks={"request": [named]})

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def up(self, name: str) -> None:
        """Start it, after what it needs, and return once it is healthy, or, of what runs once, has ended well."""
        self._begin(name)
        self._await(name)

    def _begin(self, name: str) -> None:
        service = self.services[name]
        if name in self.running or name in self._done:
            return
        for other in service.needs:
            self._begin(other)
        for other in service.needs:
            self._await(other)
        if service.said["restart"] == "no":
            self.run(name, *self.containers.words(service))
            self._done.add(name)
        else:
            self.start(name)

    def _await(self, name: str) -> None:
        if name not in self._done:
            self.until(lambda: self.is_healthy(name), f"{name} is healthy")

    def start(self, name: str, more: Mapping[str, str] | None = None, shown: tuple[Path, ...] = ()) -> None:
        """With `more` in its environment, and what is `shown` to be read."""
        service = self.services[name]
        if name == "postgres" and not any(self.containers.volume("postgres-data").iterdir()):
            self.run(name, "sh", "-ec", MAKE_DATABASE)
        *around, _ = self.containers.around(service, more or {}, shown)
        read, write = os.pipe()
        words = [*around, "--info-fd", str(write), "--", *self.containers.words(service)]
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, pass_fds=[write], start_new_session=True)
        os.close(write)
        with os.fdopen(read) as told:
            said = told.read()
        assert said, self.log(name)
        self.running[name] = Running(process, json.loads(said)["child-pid"])

    def run(self, name: str, *words: str, more: Mapping[str, str] | None = None, shown: tuple[Path, ...] = ()) -> str:
        """What a command tells in another container of the service, with `more` in its environment, once it has ended
        well."""
        command = [*self.containers.around(self.services[name], more or {}, shown), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 0, f"{name}: {words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def is_healthy(self, name: str) -> bool:
        """By its health check, compose.yaml's or the Dockerfile's. Fails where it has ended."""
        service, ended = self.services[name], self.running[name].process.poll()
        assert ended is None, f"{name} ended with {ended}\n{self.log(name)[-3000:]}"
        health = self._image.health if self.containers.is_ours(service) else service.health
        command = [*self.containers.around(service, {}), *self.containers.moved(name, health)]
        return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE).returncode == 0

    def ask(self, name: str, path: str, token: str = "") -> httpx.Response | None:
        """What a replica itself answers; None while it does not."""
        url = f"http://{self.containers.address(name)}:8000{path}"
        try:
            return httpx.get(url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=PATIENCE)
        except httpx.TransportError:
            return None

    def is_ready(self, name: str) -> bool:
        answer = self.ask(name, "/readyz")
        return answer is not None and answer.status_code == 200

    def stop(self, name: str, number: signal.Signals | None = None) -> int:
        """The exit code of a service that was told to end, by compose.yaml's signal for it or by another."""
        running = self.running.pop(name)
        by = signal.Signals[self.services[name].said.get("stop_signal", "SIGTERM")] if number is None else number
        os.kill(running.pid, by)
        return running.process.wait(PATIENCE)

    def down(self) -> dict[str, int]:
        """The exit code of each service, ended in the reverse order. What runs once is run again the next time."""
        codes = {name: self.stop(name) for name in reversed(list(self.running))}
        self._done.clear()
        return codes

    def close(self) -> None:
        for name in list(self.running):
            with suppress(ProcessLookupError):  # it has ended by itself
                self.stop(name, signal.SIGKILL)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < PATIENCE, f"never: {what}"
            time.sleep(LOOK)
