"""What is kept of prepared hits, and what of each is noted."""

import gc
import json
import random
import re
from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest

from api.answers.cached import accepts_gzip, remembered_gzip
from api.server.heads import is_host
from api.server.prepared.said import LINES as MOST
from api.server.prepared.said import LONGEST, MEANINGS, REMEMBERED, UNREADABLE, meaning_of, said_by
from core.cache.cached_read import CachedRead
from core.cache.entry import Entry
from core.telemetry.log_lines import LINES
from tests.api.server.prepared.differing import with_lines
from tests.api.server.prepared.requests import bearer, plain_heads
from tests.api.server.prepared.side_by_side import STATUS, head
from tests.api.server.prepared.situations import Here


async def test_the_log_line_is_that_of_the_routes(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    monkeypatch.setattr(LINES, "are_json", True)
    monkeypatch.setattr("api.server.prepared.hit_line.write_line", lines.append)
    monkeypatch.setattr("api.middleware.request_log.write_line", lines.append)
    asked = with_lines(plain_heads(here)[0], "X-Request-ID: the-proxy-s")
    await here.side.prepared.ask(asked)
    await here.side.routed.ask(asked)
    prepared, routed = (json.loads(line) for line in lines)

    def same(line: dict[str, Any]) -> dict[str, Any]:
        return line | {"ms": type(line["ms"]), "timestamp": len(line["timestamp"]), "age": round(line["age"] / 10)}

    assert list(prepared) == list(routed)
    assert same(prepared) == same(routed)


async def test_what_it_answers_was_read(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is read is refreshed ahead of its readers."""
    notes: list[tuple[str, int]] = []

    def note(asked: CachedRead, entry: Entry) -> None:
        notes.append((asked.policy.name, len(entry.body)))

    protocol: Any = here.side.prepared.protocol
    monkeypatch.setattr(protocol._hits, "_ahead", SimpleNamespace(note=note))
    answer = await here.side.prepared.ask(plain_heads(here)[0])
    [(policy, length)] = notes
    assert f"Content-Length: {length}".lower().encode() in answer.lower()
    assert policy == "dashboard"


async def test_uvicorn_counts_it_and_the_connection_stays_in_use(here: Here) -> None:
    protocol = here.side.prepared.protocol
    requests, protocol.last_used = protocol.server_state.total_requests, 0.0
    await here.side.prepared.ask(plain_heads(here)[0])
    assert protocol.server_state.total_requests == requests + 1
    assert protocol.last_used > 0


async def test_what_was_answered_before_the_router_is_counted_apart(here: Here) -> None:
    stats = here.side.runtime.cache.stats
    counted = stats.prepared
    await here.side.prepared.ask(plain_heads(here)[0])
    assert stats.prepared == counted + 1
    await here.side.routed.ask(plain_heads(here)[0])
    assert stats.prepared == counted + 1


async def test_a_client_that_reads_slowly_waits_for_the_routes(here: Here) -> None:
    """They wait until what was written is sent; here nothing waits."""
    here.side.prepared.protocol.flow.pause_writing()
    here.side.prepared.protocol.data_received(plain_heads(here)[0])
    assert here.side.prepared.protocol.is_busy
    here.side.prepared.protocol.flow.resume_writing()
    await here.side.prepared.settled()


async def test_a_connection_that_closes_is_answered_no_more(here: Here) -> None:
    here.side.prepared.transport.close()
    here.side.prepared.protocol.data_received(plain_heads(here)[0])
    assert not here.side.prepared.transport.written
    await here.side.prepared.settled()


async def test_after_a_change_it_is_prepared_anew(here: Here) -> None:
    """Also for a connection that says the same again and again."""
    asked = plain_heads(here)[0]
    await here.side.prepared.ask(asked)
    await here.connection.execute(
        "UPDATE app_user SET email = 'other@example.org' WHERE username = $1", here.seed.sant.admin
    )
    await here.side.refresh()
    answers = here.side.runtime.cache.stats.prepared
    for _ in range(4):  # the session is read again, the entry is computed if need be, and it is prepared
        await here.side.prepared.ask(asked)
    assert here.side.runtime.cache.stats.prepared > answers


async def test_all_that_is_kept_is_bounded(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = here.side.hits.prepared
    before = len(kept)
    monkeypatch.setattr(kept, "_bound", kept._bytes)
    who = bearer(here, here.seed.sant.viewer)
    await here.side.prepare([head(f"/v1/specialties?{'&' * more}", who) for more in range(30)])
    assert kept._bytes <= kept._bound
    assert len(kept) <= before


async def test_one_session_has_a_bounded_share(here: Here) -> None:
    who = bearer(here, here.seed.sant.viewer)
    await here.side.prepare([head(f"/v1/specialties?{'&' * more}", who) for more in range(100)])
    assert max(len(keys) for keys in here.side.hits.prepared._of_session.values()) == 64


async def test_an_entry_that_memory_has_put_out_is_held_nowhere(here: Here) -> None:
    """The memory tier is bounded in bytes; each prepared hit with an entry of its own would come on top of it."""
    for one in plain_heads(here):
        await here.side.prepared.ask(one)
    memory = here.side.runtime.cache.memory
    held = [ref(item.value) for item in memory._items.values() if isinstance(item.value, Entry)]
    assert held
    memory.clear()
    gc.collect()
    assert not [one for one in held if one() is not None]


async def test_blank_lines_between_requests_do_not_add_up(here: Here) -> None:
    """Each lot is its request's, as the parser counts them, and no head comes near the bound."""
    blank = b"\r\n" * (here.side.prepared.protocol.bounds.head_bytes // 8)
    for _ in range(5):
        answer = await here.side.prepared.ask(blank, plain_heads(here)[0])
        assert STATUS.findall(answer) == [b"HTTP/1.1 200 OK"]


async def test_a_connection_that_is_lost_leaves_nothing(here: Here) -> None:
    kept = here.side.hits.prepared
    before = kept._bytes
    await here.side.prepared.ask(plain_heads(here)[1])
    assert kept._bytes != before or here.side.prepared.protocol._last is not None  # type: ignore[attr-defined]
    here.side.prepared.protocol.connection_lost(None)
    assert kept._bytes == sum(kept._kept.values())
    here.side.reconnect()


def test_a_long_head_is_the_parsers() -> None:
    one = head("/v1/dashboard", f"X-Long: {'x' * 10}")
    assert said_by(one) is not None
    assert said_by(head("/v1/dashboard", f"X-Long: {'x' * LONGEST}")) is None


def test_a_line_is_a_name_a_colon_a_blank_at_most_and_visible_characters() -> None:
    plain = re.compile(rb"[A-Za-z0-9-]+: ?[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
    dice = random.Random(20261128)
    pieces = [bytes([byte]) for byte in range(256)] + [b":", b" ", b"-", b"Host", b"X", b"a b", b"\xc3\xb1"] * 20
    for _ in range(20_000):
        line = b"".join(dice.choices(pieces, k=dice.randint(0, 6)))
        for one in (line, b"Cache-Version:" + line, b"Cache-Version: " + line, b"X-Y:" + line):
            assert (meaning_of(one) is UNREADABLE) == (plain.fullmatch(one) is None), one


def test_strangers_long_lines_are_read_and_not_remembered() -> None:
    remembered = len(MEANINGS)
    for number in range(20):
        said = said_by(head("/v1/dashboard", f"Cache-Version: {number}{'x' * REMEMBERED}"))
        assert said is not None
        assert said.cache_version is not None
    assert len(MEANINGS) <= remembered + 1  # that of Host
    remembered = remembered_gzip.cache_info().currsize
    assert accepts_gzip(f"gzip, {'x' * 30_000}")
    assert not accepts_gzip(f"br, {'x' * 30_000}")
    assert remembered_gzip.cache_info().currsize == remembered
    assert is_host(b"x" * 255 + b":65535")
    assert not is_host(b"x" * 262)


def test_so_many_lines_are_remembered_at_once() -> None:
    for number in range(2 * MOST):
        assert said_by(head("/v1/dashboard", f"traceparent: {number}")) is not None
        assert len(MEANINGS) <= MOST
