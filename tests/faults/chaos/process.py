"""A serving process, perhaps a broken one: `python -m tests.faults.chaos.process VARIANT SLOWEST_FILL PORT`."""

import sys

import uvicorn

from api.app import create_app
from tests.faults.chaos.variants import LEASE_BY_TIMER, PATCHES, slow_fills

if __name__ == "__main__":
    variant, slowest, port = sys.argv[1:]
    if variant in PATCHES:
        PATCHES[variant]()
    if float(slowest):
        slow_fills(float(slowest))
    # uvloop, as it is built today, runs timers before what came over the wire: there the flag falls in time.
    loop = "asyncio" if variant == LEASE_BY_TIMER else "uvloop"
    # In this very process, without a master: it is stopped and killed as one.
    uvicorn.run(create_app, factory=True, port=int(port), loop=loop, log_config=None, access_log=False)
