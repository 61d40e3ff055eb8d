"""Whatever can make the answers of a prepared hit and of the routes differ."""

from collections.abc import AsyncIterator

from tests.api.server.prepared.requests import ETAG, bearer, odd, parameters, plain_heads
from tests.api.server.prepared.side_by_side import head
from tests.api.server.prepared.situations import SITUATIONS, Here


def with_lines(one: bytes, *lines: str) -> bytes:
    return one[:-2] + "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


async def etag_of(here: Here) -> str:
    found = ETAG.search(await here.side.routed.ask(plain_heads(here)[0]))
    assert found is not None
    return found[1].decode()


async def of_situations(here: Here) -> AsyncIterator[str | None]:
    """In what the two differ, for each plain head in each situation."""
    asked = plain_heads(here)
    for name, situation in SITUATIONS.items():
        await here.side.prepare(asked)
        async with situation(here) as now:
            for one in asked:
                yield label(name, await now.side.differ(one))
                if now.sent_back:
                    yield label(name, await now.side.differ(with_lines(one, f"Cache-Version: {now.sent_back}")))


async def of_lines(here: Here) -> AsyncIterator[str | None]:
    """The same for each other line that a head may have, once and twice."""
    one = plain_heads(here)[0]
    await here.side.prepare([one])
    etag = await etag_of(here)
    for line in [*parameters(here, etag), *odd(here, etag)]:
        for more in ((line,), (line, line)):
            for _ in range(2):
                yield await here.side.differ(with_lines(one, *more))


async def of_connections(here: Here) -> AsyncIterator[str | None]:
    """The same for what a connection may be in the middle of."""
    one, slow = plain_heads(here)[0], head("/v1/tickets", bearer(here, here.seed.sant.admin))
    await here.side.prepare([one])
    for method, version, host in (("HEAD", "1.1", "Host: a"), ("GET", "1.0", "Host: a"), ("GET", "1.1", "")):
        odd_head = head("/v1/dashboard", bearer(here, here.seed.sant.admin), method=method, version=version, host=host)
        for _ in range(3):
            yield await here.side.differ(odd_head)
    yield await here.side.differ(slow, one, one, at_once=True)
    yield await here.side.differ(one, slow, one, at_once=True)
    cut_short = with_lines(one, "X-Odd: abcdefghij")
    yield await here.side.differ(cut_short[:-6], cut_short[-6:])
    yield await here.side.differ(b"\r\n", one)
    for protocol in (here.side.prepared.protocol, here.side.routed.protocol):
        protocol.shutdown()
    yield await here.side.differ(one)


def label(name: str, difference: str | None) -> str | None:
    return difference and f"{name}: {difference}"


async def differences(here: Here) -> AsyncIterator[str]:
    for source in (of_situations, of_lines, of_connections):
        async for difference in source(here):
            if difference is not None:
                yield difference
