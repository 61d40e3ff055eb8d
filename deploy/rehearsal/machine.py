"""What of this machine stands in for images: bubblewrap, and Debian's PostgreSQL, nginx, Prometheus, and Redis or
Valkey."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

ALIASES: Final = {"valkey-server": "redis-server", "valkey-cli": "redis-cli"}
"""What may stand in, where a distribution has only the other one."""


class Missing(Exception):
    """A program that this machine does not have. The message names the package."""


def bubblewrap() -> str:
    """The program, once it was seen to work. Raises Missing."""
    found = shutil.which("bwrap")
    if found is None:
        raise Missing("bwrap is missing: apt-get install bubblewrap")
    tried = [found, "--unshare-user", "--unshare-pid", *system(), "true"]
    done = subprocess.run(tried, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"bwrap may not make namespaces here, perhaps only as root: {done.stderr.strip()}")
    return found


def system() -> list[str]:
    """For bubblewrap: this machine's programs as they lie in its root, to be read only."""
    words = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev"]
    for name in ("/bin", "/sbin", "/lib", "/lib64"):
        path = Path(name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), name]
        elif path.exists():
            words += ["--ro-bind", name, name]
    return words


def programs(folder: Path) -> str:
    """A PATH on which PostgreSQL, nginx, Prometheus and Valkey are found by their images' names; `folder` gets links.

    Raises Missing."""
    folder.mkdir(exist_ok=True)
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not postgres:
        raise Missing("PostgreSQL is missing: apt-get install postgresql")
    for name, instead in ALIASES.items():
        found = shutil.which(name) or shutil.which(instead)
        if found is None:
            raise Missing(f"{name} and {instead} are missing: apt-get install redis-server")
        (folder / name).symlink_to(found)
    if shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        raise Missing("nginx is missing: apt-get install nginx-light")
    if shutil.which("prometheus") is None:
        raise Missing("Prometheus is missing: apt-get install prometheus")
    return f"{folder}:{postgres[-1].parent}:/usr/sbin:/usr/bin"
