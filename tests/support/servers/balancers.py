"""nginx and haproxy as deploy/ configures them: with ports, certificates and servers of a test's own."""

import os
import re
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.certificates import Authority
from tests.support import machine
from tests.support.processes.services import free_port
from tests.support.servers.debian import program

DEPLOY = Path(__file__).parents[3] / "deploy"
CONFIGURED = {"nginx": DEPLOY / "nginx.conf", "haproxy": DEPLOY / "haproxy.cfg"}
PLACES = ("172.30.80.21:8000", "172.30.80.22:8000")
KINDS = tuple(CONFIGURED)
TEMPORARY = "/tmp/"  # noqa: S108  nginx's, in a container


@dataclass(frozen=True)
class Balancer:
    url: str
    plain_url: str
    """Where it takes no TLS."""
    authority: Path
    trusting: ssl.SSLContext
    log: Path

    def client(self, *, source: str | None = None) -> httpx.AsyncClient:
        """`source`: the address that it comes from."""
        transport = httpx.AsyncHTTPTransport(verify=self.trusting, local_address=source)
        return httpx.AsyncClient(base_url=self.url, transport=transport, timeout=20)


@contextmanager
def balancer(
    kind: str, folder: Path, ports: Sequence[int], changes: Mapping[str, str] | None = None
) -> Iterator[Balancer]:
    """Once it listens, before servers of this machine at `ports`; `changes` are made in its configuration."""
    folder.mkdir()
    port, plain = free_port(), free_port()
    authority = Authority()
    certificate, key = authority.sign("localhost")
    for name, content in {"ca": authority.certificate, "certificate": certificate, "key": key}.items():
        (folder / f"{name}.pem").write_bytes(content)
    (folder / "both.pem").write_bytes(certificate + key)
    made = dict(zip(PLACES, (f"127.0.0.1:{own}" for own in ports), strict=False))
    made |= {"8443": str(port), "8080": str(plain), f"/tls/{kind}/": f"{folder}/", TEMPORARY: f"{folder}/"}
    lines = [line for line in CONFIGURED[kind].read_text().splitlines() if not _is_of_nobody(line, len(ports))]
    (folder / "configuration").write_text(replaced("\n".join([*lines, ""]), made | dict(changes or {})))
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(_command(kind, folder), stdout=output, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://localhost:{plain}") as asking:
            machine.wait_until(lambda: _answers(asking, process, log))
        trusting = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        yield Balancer(f"https://localhost:{port}", f"http://localhost:{plain}", folder / "ca.pem", trusting, log)
    finally:
        process.terminate()
        process.wait()


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """All at once: what is put in is not looked at again."""
    return re.sub("|".join(map(re.escape, changes)), lambda found: changes[found[0]], text)


def _is_of_nobody(line: str, count: int) -> bool:
    """Whether it names a server that is not there."""
    return any(place in line for place in PLACES[count:])


def _command(kind: str, folder: Path) -> list[str]:
    configuration = str(folder / "configuration")
    if kind == "haproxy":
        return [str(program("haproxy", "haproxy")), "-db", "-f", configuration]
    # A test's folder is its own user's alone.
    user = " user root;" if os.geteuid() == 0 else ""
    return [str(program("nginx", "nginx-light")), "-p", str(folder), "-c", configuration, "-g", f"daemon off;{user}"]


def _answers(asking: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return asking.get("/").status_code == 308
    except httpx.TransportError:
        return False
