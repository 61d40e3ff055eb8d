"""A process with its own cache, for tests that stop it: each line on its input is a read, answered in a line.

Run as `python -m tests.faults.counting_process CLINIC` with DATABASE_URL, REDIS_URL and CACHE_PREFIX set.
"""

import asyncio
import logging
import sys

from sqlalchemy import text

from core.cache.fill import Fill, Loaded
from core.cache.policy import Policy
from core.log import configure
from core.runtime import open_runtime
from core.settings import Settings

POLICY = Policy("doctors", 60, "counted", ("catalogs",))
COUNT = text("SELECT count(*) FROM doctor WHERE clinic_id = :clinic")


async def serve(clinic_id: int) -> None:
    async def load(fill: Fill) -> Loaded:
        return Loaded(str(await fill.session.scalar(COUNT, {"clinic": clinic_id})).encode())

    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with open_runtime(Settings()) as runtime:
        while await lines.readline():
            answer = await runtime.cache.read(POLICY, clinic_id, {}, load)
            sys.stdout.write(f"{answer.entry.body.decode()} {answer.outcome}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    configure("json", level=logging.CRITICAL)
    asyncio.run(serve(int(sys.argv[1])))
