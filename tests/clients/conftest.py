"""The service, live, with a clinic's catalog and users and no ticket."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support.processes.services import Serving, workers


@pytest.fixture
def served(settings: Settings, seed: Seed, tmp_path: Path) -> Iterator[Serving]:
    with workers(settings, 1, tmp_path / "log") as running:
        yield running


@pytest.fixture
def contract(served: Serving, tmp_path: Path) -> Path:
    """The OpenAPI document, as an integrator downloads it from the running service."""
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{served.url}/openapi.json").content)
    return path
