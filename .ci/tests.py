"""All tests, with pytest's own options: most in two processes side by side, those that mind neighbours after that.

    .venv/bin/python .ci/tests.py [-k dashboard] [-x] …

Run by `make test`. Which are which is told by tests/conftest.py. With --pdb or -s, say -n0, too.
"""

import subprocess
import sys

NOTHING = 5
"""pytest's exit code where no test was selected."""
# A file's tests stay together: some share a server, or an installation.
ROUNDS = (("-m", "not alone", "-n", "2", "--dist", "loadfile"), ("-m", "alone"))


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
