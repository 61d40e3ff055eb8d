"""Where the microseconds of a routed hit go, in the application and without a server (docs/profiles.md).

    .venv/bin/python -m bench.hit_profile [--seconds 4]

One process runs the application's coroutine by hand for an authorised dashboard in memory, beside an empty FastAPI
route. A timer notes where it is; what a library does counts for whoever of ours called it, or
for the framework.
"""

import argparse
import asyncio
import gc
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any

import httpx
import uvloop
from fastapi import FastAPI
from starlette.responses import Response

from api.app import create_app
from bench.servers.install import ROOT
from bench.servers.site import site
from core.telemetry.log_lines import LINES

EVERY = 0.0005
"""Seconds between two notes. Of the wall clock: CPU time is told in ticks that are as long as a hundred hits."""
BATCH = 50
"""Hits between two turns of the event loop, which the version map's poll needs."""
ROOMS = {
    "api/middleware/request_log.py": "the log line",
    "core/telemetry/log_lines.py": "the log line",
    "api/middleware/": "the envelope: id, deadline, headers, counts",
    "api/requests/by_path.py": "FastAPI and Starlette",
    "api/requests/plan.py": "the route's plan",
    "api/requests/": "who asks, what the headers say",
    "core/sessions/": "the session",
    "core/cache/": "the cache",
    "api/answers/": "the answer",
    "api/": "the route",
    "core/": "the route",
    "fastapi": "FastAPI and Starlette",
    "starlette": "FastAPI and Starlette",
}
"""By how a file's path begins, in the checkout or among the packages."""
Scope = MutableMapping[str, Any]


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_: Any) -> None:
    return


def scope_of(path: str, headers: list[tuple[bytes, bytes]]) -> Scope:
    return {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"},
        **{"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers},
        **{"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}},
    }


def batch(app: Any, path: str, headers: list[tuple[bytes, bytes]]) -> float:
    """Microseconds of one of BATCH hits."""
    started = time.perf_counter()
    for _ in range(BATCH):
        request = app(scope_of(path, headers), receive, send)
        try:
            request.send(None)
        except StopIteration:
            continue
        raise RuntimeError("A hit waited for something.")
    return (time.perf_counter() - started) / BATCH * 1e6


def room_of(frame: FrameType | None) -> str:
    """Of the innermost frame that is of a room."""
    while frame is not None:
        path = frame.f_code.co_filename
        place = path.removeprefix(f"{ROOT}/") if ".venv" not in path else path.rpartition("site-packages/")[2]
        room = next((room for begins, room in ROOMS.items() if place.startswith(begins)), None)
        if room is not None:
            return room
        frame = frame.f_back
    return "what calls it"


async def run(signed: dict[str, str], seconds: float) -> None:
    app, empty = create_app(), FastAPI()

    @empty.get("/")
    async def route() -> Response:
        return Response(b"x" * 6000, media_type="application/json")

    async with app.router.lifespan_context(app):
        await warm(app, signed)
        headers = [(b"host", b"127.0.0.1"), (b"authorization", signed["Authorization"].encode())]
        LINES.start(os.open(os.devnull, os.O_WRONLY))
        gc.collect()
        gc.freeze()
        await measure(lambda: batch(app, "/v1/dashboard", headers), lambda: batch(empty, "/", headers), seconds)
        LINES.close(1.0)


async def warm(app: FastAPI, signed: dict[str, str]) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for _ in range(2):
            (await client.get("/v1/dashboard", headers=signed)).raise_for_status()


async def measure(ours: Callable[[], float], empty: Callable[[], float], seconds: float) -> None:
    notes: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, lambda _, frame: notes.update([room_of(frame)]))
    least, least_empty = float("inf"), float("inf")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(0)
        least, least_empty = min(least, ours()), min(least_empty, empty())
        await asyncio.sleep(0)
        signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)
        ours()
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(f"A hit takes {least:.1f} µs, the empty route {least_empty:.1f}: {least / least_empty:.2f} of it.\n")
    print("| where | µs | share |\n|---|--:|--:|")
    for room, times in notes.most_common():
        share = times / notes.total()
        print(f"| {room} | {share * least:.1f} | {share:.0%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    with site(clinics=2, tickets=2000) as one:
        [signed] = one.sessions_of_all()[:1]
        os.environ.update(one.environment)
        uvloop.run(run(signed, asked.seconds))


if __name__ == "__main__":
    main()
