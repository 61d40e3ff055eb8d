"""Makes .venv as the lock file says. A second call is instant, and a first that was cut off is begun again.

Run by `make setup`, and before every other target, with any Python >= 3.11; standard library only. `make setup` by its
name adds --browser: then Chromium comes, too, where apt can bring it. Whoever sets up is about to test pages; whoever
says `make run` only does not wait for a browser.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".set-up"
LOCK = ROOT / "requirements-dev.lock"


def wanted() -> str:
    """Of everything that the environment follows from; also of the folder, whose name is written into its scripts."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    installed = json.dumps([pyproject["build-system"], pyproject["project"]], sort_keys=True)
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n{installed}\n".encode())
    for path in (LOCK, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def found() -> str | None:
    """What the environment was made of; None where its making did not end, or its Python is gone."""
    return STAMP.read_text() if STAMP.exists() and PYTHON.exists() else None


def pip(*arguments: str) -> None:
    run = [str(PYTHON), "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input", *arguments]
    if subprocess.run(run, cwd=ROOT, check=False).returncode != 0:
        sys.exit("make setup: pip failed, see above; once that is put right, make setup begins again.")


def create() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        sys.exit("make setup: this Python cannot make virtual environments (on Debian: apt install python3-venv).")


def main() -> None:
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # `make run` and `make test` at once make one environment
    before, after = found(), wanted()
    if before != after:
        print("Setting up .venv (this takes a minute) …", flush=True)
        create()
        pip("install", "--require-hashes", "--requirement", str(LOCK))
        pip("install", "--no-deps", "--no-build-isolation", "--editable", ".")
        STAMP.write_text(after)
    os.close(folder)


def browser() -> None:
    """Chromium, for the tests that drive one: they would be skipped without it, so its absence fails nothing here."""
    if shutil.which("chromium"):
        return
    sys.path.insert(0, str(ROOT))
    from tests.support.servers.debian import find_or_install

    print("Installing Chromium, which tests of pages drive …", flush=True)
    why = "apt and root are needed"
    try:
        if find_or_install("chromium", "chromium"):
            return
    except subprocess.SubprocessError as failed:
        why = str(failed)
    print(
        f"make setup: there is no Chromium ({why}), so tests of pages will be skipped."
        " Run once, as root: apt-get install chromium",
        file=sys.stderr,
    )


if __name__ == "__main__":
    try:
        main()
        if "--browser" in sys.argv[1:]:
            browser()
    except KeyboardInterrupt:
        sys.exit("make setup: interrupted; it begins again the next time.")
