"""A process with its own cache, for tests that stop it: each line on its input is a read, answered in a line.

Run as `python -m tests.faults.processes.counting_process CLINIC` with DATABASE_URL, REDIS_URL and CACHE_PREFIX set. A
line is `read`, or `read SECONDS`: so long does a fill take, once it has its snapshot. An answer is
`COUNT OUTCOME FILLS WALL`: how many fills there were, and this process's wall clock. What it computes is right for an
hour. `version` is answered with the version that the process knows.
"""

import asyncio
import logging
import sys
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import text

from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.policy import Policy
from core.clock import wall_now
from core.errors import Unavailable
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from core.telemetry.log import configure

POLICY = Policy("doctors", 60, "counted", ("catalogs",))
COUNT = text("SELECT count(*) FROM doctor WHERE clinic_id = :clinic")


class Counter:
    def __init__(self, runtime: Runtime, clinic_id: int) -> None:
        self._runtime = runtime
        self._clinic_id = clinic_id
        self._fills = 0

    async def answer(self, seconds: float) -> None:
        async def load(fill: Fill) -> Loaded:
            self._fills += 1
            await asyncio.sleep(seconds)  # so long the test said that it takes
            body = str(await fill.session.scalar(COUNT, {"clinic": self._clinic_id})).encode()
            return Loaded(body, valid_until=fill.now + timedelta(hours=1))

        while True:
            # On a busy machine a read may need longer than it has: nothing is counted until one is answered.
            with suppress(Unavailable):
                answer = await self._runtime.cache.read(CachedRead(POLICY, self._clinic_id, {}, load))
                break
        wall = int(wall_now().timestamp())
        sys.stdout.write(f"{answer.entry.body.decode()} {answer.outcome} {self._fills} {wall}\n")
        sys.stdout.flush()


async def serve(clinic_id: int) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with open_runtime(Settings()) as runtime, asyncio.TaskGroup() as reading:
        counter = Counter(runtime, clinic_id)
        while line := await lines.readline():
            if line == b"version\n":
                sys.stdout.write(f"{runtime.versions.get(clinic_id, 'catalogs')}\n")
                sys.stdout.flush()
                continue
            seconds = line.split()[1:]
            reading.create_task(counter.answer(float(seconds[0]) if seconds else 0.0))


if __name__ == "__main__":
    configure("json", level=logging.CRITICAL)
    asyncio.run(serve(int(sys.argv[1])))
