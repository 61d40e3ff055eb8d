"""The values of the metrics: what each worker has measured, and how those of all become the service's at whichever
worker is asked. Workers share their samples in memory (api/ops/slots.py)."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client import ProcessCollector

from api.middleware.request_stats import RequestStats, Times
from api.ops import metrics
from api.ops.slots import Slots
from core.runtime import Runtime
from core.telemetry.log import logger

INTERVAL: Final = 1.0
"""Seconds after which a worker shares its samples again. What it counts after that is lost if it is killed: no scrape
has seen it."""


@dataclass(slots=True)
class Samples:
    """What one worker has measured, or all together."""

    requests: dict[tuple[str, str, int], Times] = field(default_factory=dict)
    """By method, route template and status."""
    counters: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    """By name and label values."""
    gauges: dict[str, float] = field(default_factory=dict)
    measured_at: float = 0.0
    """By the machine's monotonic clock, in seconds."""

    def add_counts(self, other: "Samples") -> None:
        """In the same order everywhere: sums of floats are the same then, and no scrape is a last digit behind."""
        for key, times in other.requests.items():
            sums = self.requests.setdefault(key, Times())
            sums.total += times.total
            sums.counts = [a + b for a, b in zip(sums.counts, times.counts, strict=True)]
        for name, value in other.counters.items():
            self.counters[name] = self.counters.get(name, 0) + value

    def dump(self) -> bytes:
        """As JSON, which `load` reads: for the workers of one service among each other."""
        requests = [[*key, times.total, times.counts] for key, times in self.requests.items()]
        counters = [[name, labels, value] for (name, labels), value in self.counters.items()]
        return json.dumps([requests, counters, self.gauges, self.measured_at], separators=(",", ":")).encode()

    @classmethod
    def load(cls, raw: bytes) -> "Samples":
        """The samples that `dump` wrote."""
        requests, counters, gauges, measured_at = json.loads(raw)
        return cls(
            {(method, route, status): Times(total, counts) for method, route, status, total, counts in requests},
            {(name, tuple(labels)): value for name, labels, value in counters},
            gauges,
            measured_at,
        )


def of_this_process(stats: RequestStats, runtime: Runtime) -> Samples:
    """What this process has measured since it started, read now."""
    counters = {(each.name, labels): value for each in metrics.COUNTERS for labels, value in each.read(runtime)}
    gauges = {each.name: float(each.read(runtime)) for each in metrics.GAUGES} | dict(_process())
    return Samples(dict(stats.times), counters, gauges, time.monotonic())


def of_all(workers: list[tuple[Samples, bool]], wanted: int) -> Samples:
    """The service's samples. `workers`: (a worker's samples, whether it lives); of dead ones only counts are taken.
    `measured_at` is the oldest of the living ones', of whom there are to be `wanted`."""
    summed = Samples()
    for samples, _ in workers:
        summed.add_counts(samples)
    living = [samples for samples, lives in workers if lives]
    rules: dict[str, Any] = {each.name: each.of for each in metrics.GAUGES}
    rules |= {name: of for name, (_, of) in metrics.PROCESS.items()}
    for name, of in rules.items():
        values = [samples.gauges[name] for samples in living if name in samples.gauges]
        if values:
            summed.gauges[name] = of(values)
    summed.measured_at = min(samples.measured_at for samples in living)
    summed.gauges[metrics.SILENT] = time.monotonic() - summed.measured_at
    summed.gauges[metrics.MISSING] = max(0, wanted - len(living))
    return summed


def _process() -> Iterator[tuple[str, float]]:
    for metric in ProcessCollector(registry=None).collect():
        for sample in metric.samples:
            if sample.name in metrics.PROCESS:
                yield sample.name, sample.value


class SharedSamples:
    """This worker's samples, shared with the others each second."""

    def __init__(self, stats: RequestStats, runtime: Runtime, slots: Slots | None) -> None:
        """`slots` None: this process is the only one."""
        self._stats = stats
        self._runtime = runtime
        self._slots = slots
        self._before = Samples()
        """Counted by those who had this slot before."""
        self._complete = True
        if slots is not None:
            try:
                left = slots.claim()
            except OSError as error:
                self._trouble(error)
            else:
                self._before.add_counts(Samples.load(left) if left else Samples())

    async def publish(self) -> None:
        """Share this worker's samples each second, until cancelled, and a last time then."""
        slots = self._slots
        if slots is None:
            return
        try:
            while True:
                self._publish(slots, self._own())
                await asyncio.sleep(INTERVAL)
        finally:
            self._publish(slots, self._own())

    def sums(self) -> Samples:
        """The samples of all workers, dead ones included.

        This one's are those of this moment, and are shared before they are returned, so that no worker that is asked
        later knows of less. Raises OSError where the others' cannot be read.
        """
        own = self._own()
        if self._slots is None:
            return of_all([(own, True)], 1)
        self._publish(self._slots, own)
        mine = self._slots.own
        workers = [(own if slot == mine else Samples.load(raw), lives) for slot, raw, lives in self._slots.read()]
        return of_all(workers if mine is not None else [*workers, (own, True)], self._slots.workers)

    def _own(self) -> Samples:
        own = of_this_process(self._stats, self._runtime)
        if not self._before.counters:
            return own
        whole = Samples(gauges=own.gauges, measured_at=own.measured_at)
        for samples in (self._before, own):
            whole.add_counts(samples)
        return whole

    def _publish(self, slots: Slots, own: Samples) -> None:
        try:
            slots.publish(own.dump())
        except ValueError as error:
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        """From here on nobody else knows this worker's samples."""
        if self._complete:
            logger.error("metrics are not whole", reason=str(error))
        self._complete = False
