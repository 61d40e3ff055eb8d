"""All tests, with pytest's own options: most in two processes side by side; then those that mind busy neighbours, two
at a time; then those that mind any.

    .venv/bin/python .ci/tests.py [-k dashboard] [-x] …

Run by `make test`. Which are which is told by tests/conftest.py. With --pdb or -s, say -n0, too.
"""

import subprocess
import sys

NOTHING = 5
"""pytest's exit code where no test was selected."""
# A file's tests stay together: some share a server, or an installation.
IN_TWO = ("-n", "2", "--dist", "loadfile")
ROUNDS = (("-m", "not alone and not in_pairs", *IN_TWO), ("-m", "in_pairs", *IN_TWO), ("-m", "alone"))


def main() -> int:
    codes = []
    for options in ROUNDS:
        codes.append(subprocess.run([sys.executable, "-m", "pytest", *options, *sys.argv[1:]], check=False).returncode)
        if codes[-1] not in (0, 1, NOTHING):
            break  # interrupted, or options that pytest does not know
    failed = [code for code in codes if code not in (0, NOTHING)]
    return failed[-1] if failed else min(codes)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
