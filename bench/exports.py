"""What exports cost: seconds to the first and the last byte, the peak memory of the process that makes them, and what a
request waits meanwhile (docs/design/performance.md, target 6).

    .venv/bin/python -m bench.exports [--tickets 200000] [--clinics 20]

On an embedded PostgreSQL of its own, through the application, without a network. A superuser exports one clinic, and
all of them: with twenty times the tickets the process may take no more memory.
"""

import argparse
import asyncio
import tempfile
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from pydantic import SecretStr
from sqlalchemy import text

from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from core.access import Actor, ClinicScope, Role
from core.db.schema.migrate import upgrade
from core.exports.export import ExportRequest
from core.exports.job import Format
from core.operations.demo import fill
from core.operations.embedded import start_servers
from core.runtime import Runtime, open_runtime
from core.settings import Settings

SUPERUSER = Actor(1, "superuser", "", Role.SUPERUSER, None, 0, "web")
FLAT = 1.2
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


@dataclass(frozen=True)
class Made:
    """One export: seconds to its first and its last byte, its bytes, and what was watched meanwhile."""

    first: float
    whole: float
    size: int
    watched: Watched


async def made(runtime: Runtime, kind: Format, scope: ClinicScope) -> Made:
    watched = Watched()
    watching = asyncio.create_task(watch(watched))
    started = perf_counter()
    first, size = 0.0, 0
    export = await runtime.exports.open(ExportRequest(SUPERUSER, kind, scope))
    async with aclosing(export.chunks()) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            first = first or perf_counter() - started
            size += len(chunk)
    whole = perf_counter() - started
    watching.cancel()
    return Made(first, whole, size, watched)


async def measure(settings: Settings) -> dict[tuple[Format, bool], Made]:
    """(format, whether of the network) → what one took; else it is of the first clinic."""
    async with open_runtime(settings) as runtime:
        clinic_id = await runtime.database.read(lambda session: session.scalar(text("SELECT min(id) FROM clinic")))
        scopes = {False: ClinicScope(clinic_id), True: ClinicScope(None)}
        return {(kind, is_all): await made(runtime, kind, scope) for kind in Format for is_all, scope in scopes.items()}


def told(found: dict[tuple[Format, bool], Made], asked: argparse.Namespace) -> Part:
    rows, targets = [], []
    for (kind, is_all), one in found.items():
        rows.append(
            (
                f"{kind.value}, {'all clinics' if is_all else 'one clinic'}",
                *(f"{one.first:.2f}", f"{one.whole:.1f}", f"{one.size / 1e6:.1f}", f"{one.watched.peak / 1e6:.0f}"),
                f"{one.watched.latency * 1000:.0f}",
            )
        )
    for kind in Format:
        few, many = found[kind, False], found[kind, True]
        grown = many.watched.peak / few.watched.peak if few.watched.peak else None
        what = f"{kind.value} of {asked.tickets:,} tickets: memory, of that for a clinic's"
        targets += [
            Target(6, what, grown, FLAT, at_least=False, note="" if grown else "only Linux tells"),
            Target(6, "the same: seconds to the first byte", many.first, None),
            Target(6, "the same: ms that a request waits meanwhile, at most", many.watched.latency * 1000, None),
        ]
    return Part(
        name="exports",
        title="Exports",
        how=f"{asked.tickets:,} tickets of {asked.clinics} clinics, through the application, without a network.",
        tables=[Table("", ("", "first byte s", "whole s", "MB", "its process MB", "others late, ms"), rows)],
        targets=targets,
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
            password = "a-bench-needs-none"
            url = servers.database_url
            fill(url, clinics=asked.clinics, tickets=asked.tickets, password=password, progress=False)
            settings = Settings(database_url=SecretStr(url), redis_url=SecretStr(servers.redis_url))
            found = asyncio.run(measure(settings))
        finally:
            servers.stop()
    finish(told(found, asked))


if __name__ == "__main__":
    main()
