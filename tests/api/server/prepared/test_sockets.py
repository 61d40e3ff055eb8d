"""Prepared hits over real sockets, plain and with TLS: whatever pieces a head comes in, and at the server's end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from uvicorn.server import ServerState

from api.server.prepared.hit_protocol import HitProtocol
from api.server.prepared.hits import HITS
from tests.api.server.in_memory import config_of
from tests.api.server.prepared.requests import plain_heads
from tests.api.server.prepared.side_by_side import STATUS
from tests.api.server.prepared.situations import Here
from tests.faults.certificates import Authority

Both = tuple[asyncio.StreamReader, asyncio.StreamWriter, ServerState]


@asynccontextmanager
async def connected(here: Here, authority: Authority | None) -> AsyncIterator[Both]:
    """A connection to a server that has what `here` has prepared."""
    loop, state, ours, theirs = asyncio.get_running_loop(), ServerState(), None, None
    if authority is not None:
        signed = authority.sign("IP:127.0.0.1")
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(signed.certificate, signed.key)
        theirs = ssl.create_default_context(cafile=str(authority.certificate))
    config = config_of(here.side.app)
    server = await loop.create_server(
        lambda: HitProtocol(config, state, {HITS: here.side.hits}, loop), "127.0.0.1", 0, ssl=ours
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=theirs)
    yield reader, writer, state
    writer.close()
    server.close()
    for one in list(state.connections):
        one.transport.abort()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The next one."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return head + await reader.readexactly(int(length))


@pytest.mark.parametrize("is_secure", [False, True])
async def test_a_head_in_whatever_pieces(here: Here, tmp_path: Path, is_secure: bool) -> None:
    one = plain_heads(here)[0]
    stats = here.side.runtime.cache.stats
    async with connected(here, Authority(tmp_path) if is_secure else None) as (reader, writer, state):
        first, prepared = stats.counts["dashboard", "hit", "memory"], stats.prepared
        for at in (0, len(one) // 2, len(one) - 1):
            for part in filter(None, (one[:at], one[at:])):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.01)  # in a segment of its own, mostly: the answer is the same where it is not
            assert STATUS.findall(await answer(reader)) == [b"HTTP/1.1 200 OK"]
        writer.write(one * 50)
        for _ in range(50):
            assert STATUS.findall(await answer(reader)) == [b"HTTP/1.1 200 OK"]
        assert stats.counts["dashboard", "hit", "memory"] == first + 53
        assert stats.prepared > prepared
        assert state.total_requests == 53


async def test_the_server_s_end_is_told(here: Here) -> None:
    one = plain_heads(here)[0]
    async with connected(here, None) as (reader, writer, state):
        writer.write(one)
        assert b"connection: close" not in await answer(reader)
        for connection in state.connections:
            connection.shutdown()
        writer.write(one)
        assert b"connection: close" in await answer(reader)
        assert await reader.read() == b""
