"""`make setup` in a copy of the checkout whose folder has spaces and accents, from a short lock file."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import debian

ROOT = Path(__file__).parents[2]
COPIED = ("Makefile", ".ci", "pyproject.toml", "README.md", "LICENSE", "api", "core", "alembic")
APT = Path("tests/support/servers/debian.py")
OUTER_MAKE = frozenset({"MAKEFLAGS", "MAKELEVEL", "MFLAGS"})
"""Set by the `make test` that runs this: a make below another one prints more."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project whose lock file names only what building it needs, so that `make setup` is quick."""
    target = tmp_path / "Clínica Ñuñoa (copia)"
    target.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)
    (target / APT).parent.mkdir(parents=True)
    (target / APT).write_text("def find_or_install(name, package):\n    return name\n")
    # Of the package that only editable installation needs.
    editables = re.search(r"^editables==.*\n(?:    .*\n)+", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE)
    assert editables is not None
    short = (ROOT / "requirements-build.lock").read_text() + editables[0]
    (target / "requirements-dev.lock").write_text(short)
    return target


def make(checkout: Path, *arguments: str, path: str = os.environ["PATH"]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name not in OUTER_MAKE} | {"PATH": path},
    )


def python(checkout: Path, code: str) -> str:
    """What the command prints, run beside .ci/setup.py by the Python that make finds first."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / ".ci"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["python3", "-c", code], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


@pytest.mark.long
def test_setup_once_again_after_a_cut_and_after_a_move(checkout: Path) -> None:
    first = make(checkout, "setup")
    assert first.returncode == 0, first.stderr
    assert "Setting up" in first.stdout
    script = checkout / ".venv" / "bin" / "ticket-home"
    # What it needs is not in the short lock; that its own code is found is what counts.
    assert "No module named" in subprocess.run([script], capture_output=True, text=True, check=False).stderr

    second = make(checkout, "setup")
    assert (second.returncode, second.stdout) == (0, "")

    # As if it had been killed before its end.
    (checkout / ".venv" / ".set-up").unlink()
    shutil.rmtree(next((checkout / ".venv" / "lib").glob("python*/site-packages/hatchling")))
    again = make(checkout, "setup")
    assert again.returncode == 0, again.stderr
    assert next((checkout / ".venv" / "lib").glob("python*/site-packages/hatchling")).is_dir()

    # Scripts name their folder: one that was moved needs new ones.
    stamp = "import setup; print(setup.found() == setup.wanted())"
    assert python(checkout, stamp) == "True"
    assert python(checkout.rename(checkout.with_name("moved")), stamp) == "False"


def test_an_old_python_is_told(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "old"
    programs.mkdir()
    for name in ("python3", "python"):
        old = programs / name
        old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
        old.chmod(0o755)
    for name in ("make", "sh"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    done = make(checkout, "setup", path=str(programs))
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed; python3 here is: Python 3.9.2" in done.stderr
    assert not (checkout / ".venv").exists()


def test_chromium_is_for_who_sets_up_and_not_for_who_only_runs(checkout: Path) -> None:
    assert ".ci/setup.py --browser" in make(checkout, "--dry-run", "setup").stdout
    for target in ("run", "test", "check"):
        assert "--browser" not in make(checkout, "--dry-run", target).stdout


@pytest.mark.parametrize("failure", [None, subprocess.CalledProcessError(100, "apt-get"), "no Debian"])
def test_setting_up_fails_for_no_browser(
    failure: Exception | str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def found(name: str, package: str) -> Path | None:
        asked.append(package)
        if isinstance(failure, Exception):
            raise failure
        return None if failure else Path("/usr/bin", name)

    monkeypatch.setattr(debian, "find_or_install", found)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("setup", ROOT / ".ci" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    setup = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(setup)
    setup.browser()
    assert asked == ["chromium"]
    assert ("apt-get install chromium" in capsys.readouterr().err) == (failure is not None)


def test_help_tells_every_target(checkout: Path) -> None:
    listed = make(checkout).stdout
    targets = set(re.findall(r"^([a-z]+):", (checkout / "Makefile").read_text(), re.MULTILINE))
    assert {"setup", "run", "test", "check"} <= targets
    assert all(f"make {target}" in listed for target in targets)
