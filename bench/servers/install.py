"""The peers' environment, `.tools/bench`, made once from peers.lock: the service's own stays as it is."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "bench" / "peers.lock"
FOLDER = ROOT / ".tools" / "bench"
STAMP = FOLDER / ".made"


def python_of_peers() -> Path:
    """Their interpreter. Installs them where that was not done yet, or not of this lock file."""
    # Of the folder, too: its name is written into scripts.
    wanted = hashlib.sha256(f"{FOLDER}\n{sys.version}\n".encode() + LOCK.read_bytes()).hexdigest()
    python = FOLDER / "bin" / "python"
    FOLDER.parent.mkdir(exist_ok=True)
    with (FOLDER.parent / "bench.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_text() == wanted:
            return python
        print("Installing what we are measured beside into .tools/bench …", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        venv.create(FOLDER, symlinks=True)
        pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--no-input", "-qq")
        if subprocess.run([*pip, "install", "--require-hashes", "--requirement", str(LOCK)], check=False).returncode:
            sys.exit("make bench: pip failed, see above; once that is put right, make bench begins again.")
        STAMP.write_text(wanted)
    return python
