"""A Python client, generated from the service's own document, type-checked and used (integrator.py)."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.clients.programs import documented, output, require_seen
from tests.clients.toolchains import python_client_generator
from tests.support.processes.services import Serving

HERE = Path(__file__).parent

pytestmark = pytest.mark.timeout(400)


@pytest.mark.long
def test_the_generated_python_client_does_what_integrators_do(served: Serving, contract: Path, tmp_path: Path) -> None:
    python = python_client_generator()
    generator = python.with_name("openapi-python-client")
    assert contract.parent == tmp_path
    shutil.copy(HERE / "openapi_python_client.yml", tmp_path)
    # A warning tells of an operation or an answer that is missing in the client.
    output([generator, *documented("openapi-python-client"), "--fail-on-warning"], tmp_path)
    shutil.copy(HERE / "integrator.py", tmp_path)
    output(
        [
            sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent",
            "--python-executable", python, "integrator.py",
        ],
        tmp_path,
    )  # fmt: skip
    seen = output([python, "integrator.py", served.url], tmp_path, {"PATH": os.environ["PATH"]})
    require_seen(seen)
