"""The whole service's figures at whichever worker is asked (api/ops/slots.py)."""

import asyncio
from typing import Final

from api.middleware.request_stats import RequestStats
from api.ops.figures import Figures, of_all, of_this_process
from api.ops.slots import Slots
from core.log import logger
from core.runtime import Runtime

INTERVAL: Final = 1.0
"""Seconds between a worker's figures; what it counted since then is lost if it is killed, and was told to nobody."""


class ServiceFigures:
    def __init__(self, stats: RequestStats, runtime: Runtime, slots: Slots | None) -> None:
        """`slots` None: this process is the only one."""
        self._stats = stats
        self._runtime = runtime
        self._slots = slots
        self._before = Figures()
        """Counted by those who had this slot before."""
        self._complete = True
        if slots is not None:
            try:
                left = slots.claim()
            except OSError as error:
                self._trouble(error)
            else:
                self._before.add_counts(Figures.load(left) if left else Figures())

    async def publish(self) -> None:
        """Until cancelled, and a last time then."""
        slots = self._slots
        if slots is None:
            return
        try:
            while True:
                self._publish(slots, self._own())
                await asyncio.sleep(INTERVAL)
        finally:
            self._publish(slots, self._own())

    def sums(self) -> Figures:
        """Of all workers, dead ones included. One's own are those of this moment, and in its slot before they are told:
        whoever is asked next tells as many. Raises OSError where the others' cannot be read."""
        own = self._own()
        if self._slots is None:
            return of_all([(own, True)])
        self._publish(self._slots, own)
        mine = self._slots.own
        workers = [(own if slot == mine else Figures.load(raw), lives) for slot, raw, lives in self._slots.read()]
        return of_all(workers if mine is not None else [*workers, (own, True)])

    def _own(self) -> Figures:
        own = of_this_process(self._stats, self._runtime)
        if not self._before.counters:
            return own
        whole = Figures(gauges=own.gauges, told=own.told)
        for figures in (self._before, own):
            whole.add_counts(figures)
        return whole

    def _publish(self, slots: Slots, own: Figures) -> None:
        try:
            slots.publish(own.dump())
        except ValueError as error:
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        """From here on this worker's figures are told by itself only."""
        if self._complete:
            logger.error("metrics are not whole", reason=str(error))
        self._complete = False
