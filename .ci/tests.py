"""The tests, with pytest's own options: most in processes side by side; then those that mind busy neighbours.

    .venv/bin/python .ci/tests.py [--long] [-k dashboard] [-x] …
    .venv/bin/python .ci/tests.py --quick [core/cache …] [-k dashboard] …

`make test` runs it, and `make test-long` with --long, for those that are marked `long`. Each file says in its
`pytestmark` or at a test whether it is `long` or `alone`. `make quick` runs those of some folders of tests/ that are
neither. With --pdb or -s, say -n0, too.
"""

import subprocess
import sys
from pathlib import Path

NOTHING = 5
"""pytest's exit code where no test was selected."""
# A file's tests stay together: some share a server, or an installation.
BESIDE = ("--dist", "loadfile", "-n")
PROCESSES = {False: "2", True: "3"}
"""By whether the tests are long: those wait for servers and time-outs a good part of their time."""
ROUNDS = ("not alone", "alone")
ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"


def alone() -> list[str]:
    """The few files that have such tests: reading all takes longer than many of these tests do."""
    return [
        str(path.relative_to(ROOT)) for path in sorted(TESTS.rglob("test_*.py")) if "mark.alone" in path.read_text()
    ]


def main(arguments: list[str]) -> int:
    are_long, are_quick = "--long" in arguments, "--quick" in arguments
    others = [argument for argument in arguments if argument not in ("--long", "--quick")]
    if are_quick:
        others = [f"tests/{argument}" if (TESTS / argument).exists() else argument for argument in others]
    codes = []
    for mark in ROUNDS[:1] if are_quick else ROUNDS:
        options = (*BESIDE, PROCESSES[are_long]) if mark == "not alone" else ()
        kind = f"{mark} and {'long' if are_long else 'not long'}"
        files = [] if mark != "alone" or any(Path(other.partition("::")[0]).exists() for other in others) else alone()
        command = [sys.executable, "-m", "pytest", "-m", kind, *options, *others, *files]
        codes.append(subprocess.run(command, check=False).returncode)
        if codes[-1] not in (0, 1, NOTHING):
            break  # interrupted, or options that pytest does not know
    failed = [code for code in codes if code not in (0, NOTHING)]
    return failed[-1] if failed else min(codes)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
