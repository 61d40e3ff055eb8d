"""schemathesis on the live server: every operation, with what fits the contract and with what does not.

`make schemathesis` runs the same for longer, from another seed each time.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import DEMO_DOMAIN, Settings
from tests.support.contract.rules import RULES
from tests.support.iap import AUDIENCE, Signer, key_server
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, serving

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCHEMATHESIS = Path(sys.executable).parent / "st"

GOOGLE = Signer("google-1")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")
"""For each operation, in each phase that makes them up."""
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")
LONG = "SCHEMATHESIS_EXAMPLES" in os.environ

SHORT = """
# Every boundary of every field: of these operations only in the long run. Exports take the filters of the list, the
# others hash a password each time.
[[operations]]
include-operation-id = [
    "exportsTicketsCsv", "exportsTicketsXlsx", "authLogin", "authPasswordChange", "usersCreate", "usersChange",
]
phases.coverage.enabled = false
"""

NURSES = (
    "--include-tag=tickets",
    "--include-tag=fpa",
    "--include-tag=nursing board",
    "--phases=examples,fuzzing,stateful",
)
"""What else a nurse may do, and may not, is seen in test_isolation.py."""

pytestmark = pytest.mark.timeout(7200 if LONG else 240)


@pytest.fixture
def served(settings: Settings, tmp_path: Path) -> Iterator[Serving]:
    """The service with demo data, which trusts this machine as a proxy that says where requests come from, and who."""
    with key_server(GOOGLE) as keys:
        given = {
            **environment(settings), "TRUSTED_PROXIES": "127.0.0.1", "IAP_AUDIENCE": AUDIENCE, "IAP_KEYS_URL": keys.url
        }  # fmt: skip
        demo = [TICKET_HOME, "demo", "--tickets", "200"]
        subprocess.run(demo, env=given, check=True, capture_output=True, timeout=60)
        with serving(TICKET_HOME, "serve", environment=given, log=tmp_path / "log") as running:
            yield running


def succeeded(served: Serving, folder: Path, username: str, *options: str) -> set[str]:
    """The operations that were done at least once. Fails with what schemathesis has found."""
    counts, config = folder / "answered.json", folder / "schemathesis.toml"
    config.write_text((HERE / "schemathesis.toml").read_text() + ("" if LONG else SHORT))
    command = [
        str(SCHEMATHESIS), "--config-file", str(config), "run", f"{served.url}/openapi.json",
        "--seed", SEED, "--max-examples", EXAMPLES, "--no-color", *options,
    ]  # fmt: skip
    given = {
        **os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
        "TICKET_HOME_URL": served.url, "TICKET_HOME_USER": username, "TICKET_HOME_ANSWERED": str(counts),
        "TICKET_HOME_ASSERTION": GOOGLE.assertion(f"viewer_maga@{DEMO_DOMAIN}", exp=int(time.time()) + 7200),
    }  # fmt: skip
    run = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    if LONG:
        sys.stdout.write(run.stdout)
    answered: dict[str, dict[str, int]] = json.loads(counts.read_text())
    return {operation for operation, statuses in answered.items() if any(status < "300" for status in statuses)}


@pytest.mark.long
def test_the_service_keeps_its_contract(served: Serving, tmp_path: Path) -> None:
    """That every operation succeeds, too, tells that the run saw more than refusals."""
    nurse = succeeded(served, tmp_path, "clinical_sant", *NURSES)
    assert {"ticketsCreate", "ticketsGet", "ticketsPatch", "ticketsDischarge", "nursingBoardGet"} <= nurse
    assert set(RULES) - succeeded(served, tmp_path, "superuser") == set()
