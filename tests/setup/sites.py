"""Sites of compose.yaml for tests, with Debian's programs; where they cannot be had the test is skipped."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.rehearsal import machine
from deploy.rehearsal.image import Image
from deploy.rehearsal.site import Site
from tests.support.servers.debian import program

SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "SECRET_KEYS", "METRICS_TOKEN")
PACKAGES = {
    "bwrap": "bubblewrap",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "pg_ctlcluster": "postgresql",
    "prometheus": "prometheus",
}


@contextmanager
def site_of(image: Image) -> Iterator[Site]:
    for name, package in PACKAGES.items():
        program(name, package)
    with tempfile.TemporaryDirectory(prefix="ticket-home-site-") as folder:
        try:
            made = Site(Path(folder), image, {name: secrets.token_hex(32) for name in SECRETS})
        except machine.Missing as missing:
            pytest.skip(f"NOT TESTED: {missing}")
        try:
            yield made
        finally:
            made.close()
