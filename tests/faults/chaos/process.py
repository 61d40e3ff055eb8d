"""A serving process, perhaps a broken one: `python -m tests.faults.chaos.process VARIANT SLOWEST_FILL PORT`."""

import sys

import uvicorn

from api.app import create_app
from tests.faults.chaos.variants import PATCHES, slow_fills

if __name__ == "__main__":
    variant, slowest, port = sys.argv[1:]
    if variant in PATCHES:
        PATCHES[variant]()
    if float(slowest):
        slow_fills(float(slowest))
    # In this very process, without a master: it is stopped and killed as one.
    uvicorn.run(
        create_app,
        factory=True,
        port=int(port),
        loop="tests.faults.chaos.network:loop",
        log_config=None,
        access_log=False,
    )
