"""A pretended Google, and deploy/gcp.sh run on it."""

import copy
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.gcloud.stub import Stub, stubbed
from tests.deploy.gcloud.world import World

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "gcp.sh"
NEEDED = ("bash", "cat", "git", "od", "sleep")
"""All that the script may call beside gcloud."""
BASH = 4


@dataclass(frozen=True)
class Google:
    stub: Stub
    environment: dict[str, str]
    programs: Path

    def run(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """`gcp.sh words` for the project demo, in a process group of its own; `check`: it has to end well."""
        return self.shell([str(SCRIPT), *words, "--project=demo"], check=check)

    def shell(self, command: list[str], *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run(
            command,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            start_new_session=True,
        )
        assert not check or ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def changes_of(self, *words: str) -> list[str]:
        """What `gcp.sh words` changed: each command, with its positional arguments."""
        before = len(self.stub.world.changes)
        self.run(*words)
        return self.stub.world.changes[before:]

    def refusal_of(self, *words: str) -> str:
        """Its message, where it stops and changes nothing."""
        before = len(self.stub.world.changes)
        ended = self.run(*words, check=False)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert self.stub.world.changes[before:] == []
        return ended.stderr

    def secret(self, name: str) -> str:
        return str(self.stub.world.one("secret", name)["versions"][-1])


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    """An empty project."""
    version = subprocess.run(["bash", "-c", "echo $BASH_VERSINFO"], capture_output=True, text=True, check=True).stdout
    if int(version) < BASH:
        pytest.skip(f"NOT TESTED: deploy/gcp.sh needs bash {BASH}")
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None, name
        (tmp_path / name).symlink_to(found)
    with stubbed(tmp_path) as (stub, environment):
        yield Google(stub, environment, tmp_path)


@pytest.fixture(scope="session")
def _made() -> dict[str, World]:
    return {}


@pytest.fixture
def made(google: Google, _made: dict[str, World]) -> Google:
    """After `gcp.sh up`, which was run once for all of these tests."""
    if not _made:
        google.run("up")
        _made["up"] = copy.deepcopy(google.stub.world)
    google.stub.world = copy.deepcopy(_made["up"])
    return google


@pytest.fixture
def deployed(made: Google, _made: dict[str, World]) -> Google:
    """After `gcp.sh up` and `gcp.sh deploy --release=one`."""
    if "deploy" not in _made:
        made.run("deploy", "--release=one")
        _made["deploy"] = copy.deepcopy(made.stub.world)
    made.stub.world = copy.deepcopy(_made["deploy"])
    return made
