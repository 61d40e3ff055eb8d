"""The local rehearsal (deploy/rehearsal.md): `make rehearse`, or ARGS="--seconds 30" make rehearse."""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from pathlib import Path

from deploy.rehearsal.image import build, next_version
from deploy.rehearsal.machine import Missing
from deploy.rehearsal.site import Site
from deploy.rehearsal.steps import Rehearsal

SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "SECRET_KEYS", "METRICS_TOKEN")
DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(prog="make rehearse", description=__doc__)
    options.add_argument("--seconds", type=float, default=10, help="how long each state is looked at (10)")
    seconds = options.parse_args().seconds
    given = {name: secrets.token_hex(32) for name in SECRETS}
    with tempfile.TemporaryDirectory(prefix="ticket-home-rehearsal-") as folder:
        say("the Dockerfile's steps are run, in a folder of this machine")
        image = build(DOCKERFILE, Path(folder) / "image")
        (Path(folder) / "site").mkdir()
        site = Site(Path(folder) / "site", image, given)
        try:
            rehearsal = Rehearsal(site, next_version(image), seconds, say)
            asyncio.run(rehearsal.run())
        finally:
            site.close()


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit(f"This machine lacks something: {missing}")
    except KeyboardInterrupt:
        sys.exit(130)
