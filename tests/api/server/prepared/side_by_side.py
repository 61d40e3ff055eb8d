"""Two connections to one application: one that answers what is prepared itself, and one that asks the routes each time.

Each request goes to both, with the process's memory put back in between, so that both meet the same.
"""

import copy
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from fastapi import FastAPI
from uvicorn.server import ServerState

from api.server.prepared import hits as hits_module
from api.server.prepared.hits import HITS, Hits
from core.runtime import Runtime
from tests.api.server.in_memory import InMemoryConnection, config_of, connect

DATE = (b"date", b"Sat, 28 Nov 2026 12:00:00 GMT")
DIFFERS = re.compile(rb"(dur=)[0-9.]+|(\"request_id\":\")[0-9a-f]{32}|(x-request-id: )[0-9a-f]{32}(?=\r)")
AGES = re.compile(rb"(?<=ttl=)[0-9]+|(?<=age: )[0-9]+")
STATUS = re.compile(rb"HTTP/1\.1 [^\r]*")
OUTLINE = re.compile(rb"HTTP/1\.1 [^\r]*|\n(?:etag|connection): [^\r]*")
HOST = "Host: clinic.example"


def head(target: str, *lines: str, method: str = "GET", version: str = "1.1", host: str = HOST) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/{version}", *filter(None, [host]), *lines, "", ""]).encode("latin-1")


@dataclass
class Seen:
    """What came of one request on one connection."""

    answer: bytes
    is_closed: bool
    counted: Mapping[Any, int]
    by_itself: bool
    """Whether no task of the application took part."""

    @property
    def whole(self) -> tuple[bytes, bool, Mapping[Any, int]]:
        """All but durations, ages, and request ids that were made up."""
        same = DIFFERS.sub(lambda found: (found[1] or found[2] or found[3]) + b"~", self.answer)
        return AGES.sub(b"~", same), self.is_closed, self.counted

    @property
    def outline(self) -> tuple[list[bytes], bool, Mapping[Any, int]]:
        """What is the same of two computations one after the other."""
        return OUTLINE.findall(self.answer), self.is_closed, self.counted

    @property
    def ages(self) -> list[int]:
        return [int(age) for age in AGES.findall(self.answer)]

    def is_like(self, other: "Seen") -> bool:
        """Ages may have gone on by a second in between."""
        ages = zip(self.ages, other.ages, strict=False)
        return self.whole == other.whole and all(abs(one - another) <= 1 for one, another in ages)


@dataclass
class SideBySide:
    app: FastAPI
    tokens: Mapping[str, str]
    """Username → bearer token."""
    failures: list[str] = field(default_factory=list)
    answered: int = 0
    """Requests that the one answered by itself, without the routes."""

    def __post_init__(self) -> None:
        self.runtime: Runtime = self.app.state.runtime
        self.hits = Hits(self.runtime, self.app.state.request_stats)
        self._config = config_of(self.app)
        self.reconnect()

    async def hold(self) -> None:
        """From now on nothing happens by itself: nobody polls, the lease does not end, and Redis is left alone, which
        would give the second what the first has stored."""
        await self.runtime.background.cancel(5.0)
        self.runtime.redis.breaker.is_open = True
        self.runtime.versions._trusted_until = inf

    async def prepare(self, heads: Sequence[bytes]) -> None:
        """Have the routes answer each until it is prepared: a miss, and a hit."""
        for one in [*heads, *heads]:
            await self.prepared.ask(one)

    def reconnect(self) -> None:
        self.prepared, self.routed = self._connect({HITS: self.hits}), self._connect({})

    def _connect(self, app_state: dict[str, Any]) -> InMemoryConnection:
        state = ServerState()
        state.default_headers = [DATE]
        return connect(self._config, state, app_state)

    async def refresh(self) -> None:
        """Learn what was written."""
        self.runtime.versions.distrust()
        await self.runtime.direct.ensure_fresh()
        self.runtime.versions._trusted_until = inf

    async def differ(self, *segments: bytes, at_once: bool = False) -> str | None:
        """Ask both; in what they differ. `at_once`: nobody waits for an answer before the next segment is sent."""
        back = self.memory()
        one = await self._see(self.prepared, segments, at_once)
        back()
        other = await self._see(self.routed, segments, at_once)
        back()
        self.answered += one.by_itself and bool(one.answer)
        if one.is_closed or other.is_closed:
            self.reconnect()
        failures, self.failures = self.failures, []
        if not failures and (one.is_like(other) if one.by_itself else one.outline == other.outline):
            return None
        return f"{segments!r}\nprepared {one!r}\nrouted {other!r}\n{failures}"

    async def _see(self, connection: InMemoryConnection, segments: Sequence[bytes], at_once: bool) -> Seen:
        before = self._counts()
        tasks = connection.started
        answer = await connection.ask(*segments, at_once=at_once)
        counted = {key: number - before[key] for key, number in self._counts().items() if number != before[key]}
        return Seen(answer, connection.transport.is_closed, counted, connection.started == tasks)

    def _counts(self) -> Counter[Any]:
        times = self.app.state.request_stats.times
        return Counter(self.runtime.cache.stats.counts) + Counter({key: sum(one.counts) for key, one in times.items()})

    def memory(self) -> Callable[[], None]:
        """What the process has in memory now, and a function that puts it back."""
        memory, held, versions = self.runtime.cache.memory, self.runtime.sessions.held, self.runtime.versions
        items, size, policies = OrderedDict(memory._items), memory.bytes, copy.deepcopy(memory._policies)
        copies = OrderedDict((digest, copy.copy(one)) for digest, one in held._held.items())
        rows, lease, changes, shift = (
            dict(versions.rows),
            versions._trusted_until,
            versions.changes,
            versions.clock._shift,
        )

        def back() -> None:
            memory._items, memory.bytes, memory._policies = OrderedDict(items), size, copy.deepcopy(policies)
            held._held = OrderedDict((digest, copy.copy(one)) for digest, one in copies.items())
            versions._trusted_until, versions.clock._shift = lease, shift
            if versions.changes != changes:
                versions.rows.clear()
                versions.rows.update(rows)
                versions._derived.clear()
                versions.changes += 1

        return back


def failures_into(side: SideBySide, monkeypatch: Any) -> None:
    """What a prepared hit would log of its own failures counts as a difference."""
    monkeypatch.setattr(hits_module, "warn_seldom", lambda event, *_, **__: side.failures.append(event))
