"""What exports cost: seconds to the first and the last byte, the peak memory of the process that makes them, and what a
request waits meanwhile.

    .venv/bin/python -m bench.exports [--tickets 200000] [--clinics 20]

On an embedded PostgreSQL of its own, through the application, without a network. A superuser exports all clinics.
"""

import argparse
import asyncio
import tempfile
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

from pydantic import SecretStr

from core.access import Actor, Role
from core.db.migrate import upgrade
from core.exports.export import ExportRequest
from core.exports.job import Format
from core.operations.demo import fill
from core.operations.embedded import start_servers
from core.runtime import open_runtime
from core.settings import Settings

SUPERUSER = Actor(1, "superuser", "", Role.SUPERUSER, None, 0, "web")
EVERY = 0.01
"""Seconds between two looks at the event loop's latency, and at the memory."""


@dataclass
class Watched:
    """`latency`: the longest that the event loop was late, in seconds; `peak`: the largest child, in bytes."""

    latency: float = 0.0
    peak: int = 0


def resident_of_children() -> int:
    """Of the processes that make exports: those whose command says so."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            command = (status.parent / "cmdline").read_bytes()
            if b"core.exports.child" in command:
                peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
                found = max(found, int(peak.split()[1]) * 1024)
        except (OSError, StopIteration):
            continue
    return found


async def watch(watched: Watched) -> None:
    beats = 0
    while True:
        due = perf_counter() + EVERY
        await asyncio.sleep(EVERY)
        watched.latency = max(watched.latency, perf_counter() - due)
        beats += 1
        if beats % 20 == 0:
            watched.peak = max(watched.peak, await asyncio.to_thread(resident_of_children))


async def measure(settings: Settings, folder: Path) -> None:
    async with open_runtime(settings) as runtime:
        for kind in Format:
            watched = Watched()
            watching = asyncio.create_task(watch(watched))
            started = perf_counter()
            first, size = 0.0, 0
            export = await runtime.exports.open(ExportRequest(SUPERUSER, kind))
            async with aclosing(export.chunks()) as chunks:  # type: ignore[type-var]
                with (folder / export.filename).open("wb") as file:
                    async for chunk in chunks:
                        first = first or perf_counter() - started
                        size += file.write(chunk)
            took = perf_counter() - started
            watching.cancel()
            own = getrusage(RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"  {kind.value:<13} first byte {first:6.2f} s   whole {took:6.1f} s   {size / 1e6:7.1f} MB"
                f"   its process {watched.peak / 1e6:4.0f} MB   serving process {own:4.0f} MB"
                f"   event loop at most {watched.latency * 1000:4.0f} ms late"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=200_000)
    parser.add_argument("--clinics", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        servers = start_servers(Path(name) / "data", durable=False)
        try:
            upgrade(servers.database_url)
            print(
                fill(
                    servers.database_url,
                    clinics=asked.clinics,
                    tickets=asked.tickets,
                    password="a-bench-needs-none",
                    progress=False,
                )
            )
            settings = Settings(database_url=SecretStr(servers.database_url), redis_url=SecretStr(servers.redis_url))
            asyncio.run(measure(settings, Path(name)))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
