"""deploy/nginx.conf and deploy/haproxy.cfg: what they pass on as it is, once and at once, and what they tell nobody."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.setup.upstream import Answer, Upstream, upstream
from tests.support.servers.balancers import KINDS, Balancer, balancer
from tests.support.servers.debian import program

UNAVAILABLE = json.dumps({"code": "unavailable"}).encode()
STALE = 'ticket-home; fwd=stale; detail="database"'
NAME = "Quilodran"

pytestmark = pytest.mark.parametrize("kind", KINDS)


@asynccontextmanager
async def passing(
    kind: str, folder: Path, answer: Answer, count: int = 2, changes: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Balancer, Upstream]]:
    async with upstream(answer, count) as servers:
        # In a thread: the balancer's health checks are answered meanwhile.
        made = balancer(kind, folder / kind, servers.ports, changes)
        found = await asyncio.to_thread(made.__enter__)
        try:
            yield found, servers
        finally:
            made.__exit__(None, None, None)


async def unavailable(writer: asyncio.StreamWriter) -> None:
    head = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: application/problem+json"
    writer.write(f"{head}\r\nContent-Length: {len(UNAVAILABLE)}\r\n\r\n".encode() + UNAVAILABLE)


async def stale(writer: asyncio.StreamWriter) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\nCache-Status: {STALE}\r\nAge: 41\r\nContent-Length: 2\r\n\r\n{{}}".encode())


async def gone(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_503_is_an_answer_and_nobody_else_is_asked(kind: str, tmp_path: Path) -> None:
    async with passing(kind, tmp_path, unavailable) as (found, servers), found.client() as client:
        for number, method in enumerate(("GET", "POST", "GET", "POST", "GET", "POST"), 1):
            answer = await client.request(method, "/v1/tickets", json={})
            assert (answer.status_code, answer.headers["retry-after"], answer.content) == (503, "2", UNAVAILABLE)
            assert len(servers.heads) == number, "one server alone was asked, and goes on to be"


async def test_an_old_answer_keeps_its_label(kind: str, tmp_path: Path) -> None:
    async with passing(kind, tmp_path, stale) as (found, _), found.client() as client:
        answer = await client.get("/v1/dashboard")
        assert (answer.headers["cache-status"], answer.headers["age"]) == (STALE, "41")


async def test_a_post_whose_answer_was_lost_is_not_sent_again(kind: str, tmp_path: Path) -> None:
    async with passing(kind, tmp_path, gone) as (found, servers), found.client() as client:
        assert (await client.post("/v1/tickets", json={})).status_code == 502
        assert len(servers.heads) == 1


@pytest.mark.parametrize("path", ["/v1/exports/tickets.csv", "/v1/events"])
async def test_a_stream_comes_as_it_is_made(kind: str, path: str, tmp_path: Path) -> None:
    has_come = asyncio.Event()

    async def stream(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await has_come.wait()
        writer.write(b"4\r\nlast\r\n0\r\n\r\n")

    async with (
        passing(kind, tmp_path, stream) as (found, _),
        found.client() as client,
        client.stream("GET", path) as answer,
    ):
        parts = answer.aiter_raw()
        assert await anext(parts) == b"first"
        has_come.set()
        assert b"".join([part async for part in parts]) == b"last"


IDLE = {
    "nginx": {"proxy_read_timeout 60s;": "proxy_read_timeout 1600ms;"},
    "haproxy": {"timeout client 60s": "timeout client 1600ms", "timeout server 60s": "timeout server 1600ms"},
}
"""What ends a connection that is silent, and a comment of the stream (15 s): in the files' proportion."""
COMMENTS, COMMENT_EVERY = 10, 0.4


@pytest.mark.long
@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_a_stream_of_events_is_ended_by_no_idle_time_out(kind: str, version: str, tmp_path: Path) -> None:
    async def events(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n")
        writer.write(b"Connection: close\r\nX-Accel-Buffering: no\r\n\r\n")
        for _ in range(COMMENTS):
            writer.write(b"3\r\n:\n\n\r\n")
            await asyncio.sleep(COMMENT_EVERY)
        writer.write(b"5\r\nlast\n\r\n0\r\n\r\n")
        writer.close()

    async with passing(kind, tmp_path, events, changes=IDLE[kind]) as (found, servers):
        words = [str(program("curl", "curl")), "-sS", "-N", f"--http{version}", "--cacert", str(found.authority)]
        asking = await asyncio.create_subprocess_exec(*words, f"{found.url}/v1/events", stdout=PIPE)
        assert (await asking.communicate())[0] == b":\n\n" * COMMENTS + b"last\n"
        assert len(servers.heads) == 1


async def test_clients_may_speak_http_2_and_plain_http_is_sent_on_to_tls(kind: str, tmp_path: Path) -> None:
    curl = str(program("curl", "curl"))
    async with passing(kind, tmp_path, stale) as (found, servers):
        words = [curl, "-sS", "--http2", "--cacert", str(found.authority), "-w", "%{http_version}"]
        asking = await asyncio.create_subprocess_exec(*words, f"{found.url}/v1/doctors", stdout=PIPE)
        assert (await asking.communicate())[0] == b"{}2"
        assert "\r\nhost: " + found.url.removeprefix("https://") in servers.heads[0].lower(), "with its port, as Origin"
        async with httpx.AsyncClient() as client:
            moved = await client.post(f"{found.plain_url}/v1/auth/login?a=b")
        assert (moved.status_code, moved.headers["location"].partition("/v1/")[2]) == (308, "auth/login?a=b")


async def test_no_log_has_a_query(kind: str, tmp_path: Path) -> None:
    async def busy(writer: asyncio.StreamWriter) -> None:
        writer.close() if len(servers.heads) > 1 else await stale(writer)

    async with passing(kind, tmp_path, busy, count=1) as (found, servers):
        for expected in (200, 502):
            # A connection of its own: on one that was used before haproxy just closes.
            async with found.client() as client:
                assert (await client.get("/v1/tickets", params={"q": NAME})).status_code == expected
        async with httpx.AsyncClient() as plain:
            await plain.get(f"{found.plain_url}/v1/tickets", params={"q": NAME})
        told = found.log.read_text()
    assert told.count("/v1/tickets") >= 2, told
    assert NAME not in found.log.read_text()
