"""compose.yaml's services as containers without an engine: each in bubblewrap, with its own volumes, user and
environment, on a root file system that it cannot write, and as its first process.

All are on this machine's loopback, each at an address of its own and at its own port. Where Docker has a network with
names there is a hosts file, and a replica sees nginx come from 127.0.0.1.
"""

import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deploy.rehearsal import compose, machine
from deploy.rehearsal.compose import Service
from deploy.rehearsal.image import Image

NETWORK: Final = "172.30.80."
"""As compose.yaml has it."""
DATA: Final = "/var/lib/postgresql/data"
"""PGDATA, of PostgreSQL's image."""


class Containers:
    """`folder` gets what has to lie on a disk. Raises machine.Missing."""

    def __init__(self, folder: Path, image: Image, services: Mapping[str, Service]) -> None:
        self._folder = folder
        self._image = image
        self._services = services
        self._bubblewrap = machine.bubblewrap()
        self._path = machine.programs(folder / "programs")
        # Several sites on one machine, each with its own.
        self._network = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}."  # noqa: S311  nothing secret
        hosts = [f"{self.address(name)} {name}" for name in services]
        (folder / "hosts").write_text("\n".join([*hosts, "127.0.0.1 localhost", ""]))

    def address(self, name: str) -> str:
        """Where the service listens: as compose.yaml has it, but for the network."""
        networks = self._services[name].said["networks"]
        fixed = networks["inside"]["ipv4_address"] if isinstance(networks, dict) else None
        return self._network + (fixed.removeprefix(NETWORK) if fixed else str(100 + list(self._services).index(name)))

    def volume(self, name: str) -> Path:
        found = self._folder / "volumes" / name
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        return found

    def is_ours(self, service: Service) -> bool:
        """Made of the Dockerfile."""
        return "build" in service.said

    def words(self, service: Service) -> list[str]:
        """What it runs: entrypoint and command."""
        image = self._image if self.is_ours(service) else None
        entrypoint = service.said.get("entrypoint", image.entrypoint if image else [])
        command = service.said.get("command", image.command if image else [])
        words = self.moved(service.name, [*entrypoint, *command])
        if service.name == "postgres":  # as its image has it configured
            words.append(f"-clisten_addresses={self.address(service.name)}")
        if service.name == "certificates":  # all belongs to whoever rehearses
            words = [word.partition("=")[0] for word in words]
        return words

    def moved(self, name: str, words: list[str]) -> list[str]:
        """A container's own addresses are those of this machine, which others use, too."""
        own = self.address(name)
        changes = {"0.0.0.0": own, "127.0.0.1": own, "--port 0": f"--port 0 --bind {own}"}  # noqa: S104
        for old, new in changes.items():
            words = [word.replace(old, new) for word in words]
        return words

    def around(self, service: Service, more: Mapping[str, str], shown: tuple[Path, ...] = ()) -> list[str]:
        """What stands before the words of a command that runs in such a container.

        `more` is put into its environment; it can read what is `shown`, at its own place.
        """
        user, group = service.user or tuple((self._image.user or "").split(":"))
        words = [self._bubblewrap, "--unshare-user", "--unshare-pid", "--as-pid-1", "--die-with-parent"]
        words += ["--new-session", "--cap-drop", "ALL", "--uid", user, "--gid", group, "--chdir", "/", "--clearenv"]
        words += machine.system()
        for folder in service.temporary:
            words += ["--tmpfs", folder]
        for path in (self._image.app, Path(sys.base_prefix), self._folder / "programs", *shown):
            words += ["--ro-bind", str(path), str(path)]
        words += ["--ro-bind", str(self._folder / "hosts"), "/etc/hosts"]
        words += ["--ro-bind", str(self._account(user, group)), "/etc/passwd"]
        for source, target, is_read in service.volumes:
            words += ["--ro-bind" if is_read else "--bind", str(self._source(service, source)), target]
        words += ["--remount-ro", "/"]
        for name, value in self._environment(service, more):
            words += ["--setenv", name, value]
        return [*words, "--"]

    def _environment(self, service: Service, more: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        yield from {"PATH": self._path, "PGDATA": DATA}.items()
        if self.is_ours(service):
            yield from self._image.environment.items()
        yield from service.environment.items()
        if "TRUSTED_PROXIES" in service.environment:
            yield "TRUSTED_PROXIES", "127.0.0.1"
        yield from more.items()

    def _account(self, user: str, group: str) -> Path:
        return _file(self._folder / f"passwd-{user}", f"service:x:{user}:{group}::/:/bin/sh\n")

    def _source(self, service: Service, source: str) -> Path:
        """A volume; or a file beside compose.yaml, where it names addresses with this site's."""
        if not source.startswith("./"):
            return self.volume(source)
        text = (compose.FILE.parent / source).read_text().replace(NETWORK, self._network)
        return _file(self._folder / source, text.replace("listen ", f"listen {self.address(service.name)}:"))


def _file(path: Path, text: str) -> Path:
    """The file with this text. One that has it is left as it is: who has just been started may be reading it."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path
