"""Programs that no wheel brings, installed from Debian where it is one: the embedded servers have no TLS.

`make setup` imports this before there is any package: standard library only.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def program(name: str, package: str) -> Path:
    """Where the program is. It is installed where it is not there yet; where that cannot be, the test is skipped."""
    found = find_or_install(name, package)
    if found is None:
        import pytest

        pytest.skip(f"NOT TESTED: {name} is missing. Run once, as root: apt-get install {package}")
    return found


def find_or_install(name: str, package: str) -> Path | None:
    """Where the program is, installed where it was missing; None where that cannot be: it takes root, and Debian."""
    # Tests run in several processes, and apt in one at a time.
    with (Path(tempfile.gettempdir()) / f"ticket-home-apt-{os.geteuid()}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = shutil.which(name)
        if found is None and shutil.which("apt-get") and os.geteuid() == 0:
            _install(package)
            found = shutil.which(name)
    return None if found is None else Path(found)


def _install(package: str) -> None:
    # RUNLEVEL 1: installing a server does not start it.
    quiet = {"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (("update", "-qq"), ("install", "-qq", "-y", "--no-install-recommends", package)):
        subprocess.run(["apt-get", *words], env=quiet, check=True, stdout=subprocess.DEVNULL, timeout=100)
