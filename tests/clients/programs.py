"""Programs of a tool, and what both integrators have to have seen."""

import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "integrators.md"


def documented(program: str) -> list[str]:
    """What the page for integrators has after the program's name, where it tells how to generate a client."""
    (words,) = re.findall(rf"^(?:npx )?{program} (.+)$", PAGE.read_text(), re.MULTILINE)
    return shlex.split(words)


def output(command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """What the program writes. Fails, with that, where the program fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, f"{command[0]}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def require_seen(output: str) -> None:
    """Fails where the integrator's program did not print what it should have seen; the ticket's number holds its
    year."""
    seen = json.loads(output)
    assert re.fullmatch(r"TH-SANT-20\d\d-001", seen.pop("ticket"))
    assert seen == SEEN


SEEN: dict[str, Any] = {
    "guess": [401, "invalid_credentials"],
    "user": "admin_sant",
    "tickets": [0, 1],
    "invalid": [422, "invalid", ["surgery_id", "unknown_reference"]],
    "moved": ["12B", 2],
    "late": [412, "revision_mismatch", "12B"],
}
