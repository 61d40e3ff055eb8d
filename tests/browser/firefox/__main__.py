"""All pages in Debian's Firefox, by hand: `python -m tests.browser.firefox`.

Signs in on every page of shown.py with demo data, waits for what is there, has somebody else change a ticket that the
board shows, looks whether pages fit on a phone, and ends with 1 where a console shows an error, the policy is violated,
or a promise is rejected. Not among the tests: installing Firefox and what drives it (puppeteer, which speaks WebDriver
BiDi; playwright's Firefox is one of its own) takes longer than all that it finds is worth to each run.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.browser.demo import demo_service, user_of
from tests.browser.shown import SHOWN
from tests.clients.toolchains import installed_node, node_from_wheel, npm_packages
from tests.factories.rows import PASSWORD
from tests.support.servers.debian import find_or_install

HERE = Path(__file__).parent
ROLES = ("viewer", "clinical", "admin", "superuser")


def main() -> int:
    executable = find_or_install("firefox-esr", "firefox-esr")
    if executable is None:
        sys.exit("Firefox is missing. Run once, as root: apt-get install firefox-esr")
    node = installed_node() or node_from_wheel()
    folder = npm_packages(node, HERE)
    # A module finds packages beside itself alone.
    program = folder / "smoke.mjs"
    program.write_text((HERE / "smoke.mjs").read_text())
    with demo_service() as url:
        given = {
            "url": url,
            "executable": str(executable),
            "password": PASSWORD,
            "users": {role: user_of(role) for role in ROLES},
            "pages": [asdict(shown) for shown in SHOWN],
        }
        command = [node.program, str(program), json.dumps(given)]
        return subprocess.run(command, env=node.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
