"""A serving process, perhaps a broken one: `python -m tests.faults.chaos.process VARIANT SLOWEST_FILL PORT`."""

import sys

from api.server.master import serve
from api.server.serve import configuration, listen
from core.settings import Settings
from tests.faults.chaos.variants import PATCHES, slow_fills

if __name__ == "__main__":
    variant, slowest, port = sys.argv[1:]
    if variant in PATCHES:
        PATCHES[variant]()
    if float(slowest):
        slow_fills(float(slowest))
    # As `ticket-home serve` does with one worker: in this very process, which is stopped and killed as one.
    serve(configuration(1, Settings(), loop="tests.faults.chaos.network.network:loop"), listen("127.0.0.1", int(port)))
