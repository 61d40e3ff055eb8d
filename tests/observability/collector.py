"""A real collector of OpenTelemetry's, rotel, between the service and the test's receiver."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.clients.toolchains import python_with
from tests.support.machine import wait_until
from tests.support.processes.services import free_port

LOCK = Path(__file__).with_name("rotel.lock")


@contextmanager
def collector(to: str, folder: Path) -> Iterator[str]:
    """Where it takes OTLP over HTTP, which it sends on to the same path at `to`."""
    (program,) = python_with(LOCK).parents[1].glob("lib/python*/site-packages/rotel/rotel-agent")
    program.chmod(0o755)
    port = free_port()
    options = {
        "otlp-http-endpoint": f"127.0.0.1:{port}",
        "otlp-grpc-endpoint": f"127.0.0.1:{free_port()}",
        "exporter": "otlp",
        "otlp-exporter-protocol": "http",
        "otlp-exporter-endpoint": to,
        "pid-file": folder / "pid",
    }
    log = folder / "collector.log"
    with log.open("wb") as output:
        words = [str(program), "start", *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: process.poll() is not None or takes(port))
        if process.poll() is not None:
            pytest.skip(f"NOT TESTED: the collector does not run here: {log.read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def takes(port: int) -> bool:
    with closing(socket.socket()) as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0
