"""Answering a prepared hit: a hit that the routes have answered once is answered again without them.

They parse, authorise and validate; what they decided is kept (prepared.py). Here everything is looked at anew that
time, writers or operators can have changed since. Any doubt leaves the request to the routes.
"""

import random
from asyncio import Transport
from functools import lru_cache
from time import perf_counter
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.middleware.request_log import facts_of
from api.middleware.request_stats import RequestStats
from api.requests.cache_version import of_session
from api.requests.conditional import matches
from api.server.answer_head import Form
from api.server.heads import Lines
from api.server.prepared import PreparedHit, PreparedHits
from api.server.said import Said
from core.cache.entry import Entry
from core.cache.versions.vector import Vector
from core.log import warn_seldom
from core.runtime import Runtime
from core.sessions.copies import HeldCopy

HITS = "hits"
"""Where a protocol finds them, in the state of the lifespan."""
PLAIN, PACKED, KNOWN = Form.PLAIN, Form.PACKED, Form.KNOWN
HUNDREDTHS: Final = [b"%.2f" % (number / 100) for number in range(1000)]
"""Formatting a fraction costs as much as all else of a head."""
Found = tuple[Entry, HeldCopy, float, float]
"""(entry, session, the database's clock, perf_counter once the session was known to be right)"""
Made = tuple[bytes, int, float, bytes]
"""(the answer as it goes to the socket, its status, seconds since it was asked for, its request id)"""


class Hits:
    """One per process that serves."""

    def __init__(self, runtime: Runtime, requests: RequestStats) -> None:
        self.prepared = PreparedHits()
        self._versions = runtime.versions
        self._direct = runtime.direct
        self._sessions = runtime.sessions
        self._tiers = runtime.cache.tiers
        self._stats = runtime.cache.stats
        self._ahead = runtime.cache.ahead
        self._requests = requests
        self._parse = runtime.version_header.parse
        self._required = lru_cache(maxsize=1024)(self._required_by)
        self._own_headers: Lines = []
        self._own_heads: dict[Form, bytes] = {}

    def answer(self, hit: PreparedHit, said: Said, transport: Transport, own_headers: Lines) -> bool:
        """Whether the request was answered here: if not, nothing was written. `own_headers` are the server's, a new
        list whenever they change."""
        try:
            began = perf_counter()
            found = self._find(hit, said)
            made = self._make(hit, said, found, began, own_headers) if found is not None else None
        except Exception as error:  # noqa: BLE001  the routes answer
            warn_seldom("a prepared hit failed", type(error).__name__, **facts_of(error))
            return False
        if found is None or made is None:
            return False
        try:
            transport.write(made[0])
        except Exception as error:  # noqa: BLE001  part of it may be sent
            warn_seldom("a prepared hit could not be written", type(error).__name__, **facts_of(error))
            transport.abort()
            return True
        try:
            self._note(hit, found, made)
        except Exception as error:  # noqa: BLE001  it is answered: a second answer would be the next request's
            warn_seldom("a prepared hit was not noted", type(error).__name__, **facts_of(error))
        return True

    def _find(self, hit: PreparedHit, said: Said) -> Found | None:
        """What answers it at this moment; None where the routes have to find out. Nothing awaits from here until the
        answer is written: lease, versions and clock are those of one moment."""
        versions, tiers = self._versions, self._tiers
        asked, session, digest, _ = hit.decided
        if not versions.is_fresh():
            return None
        if hit.changes != versions.changes:
            if not self._sessions.is_current(session):
                return None
            hit.entry_key = tiers.key_now(asked.entry_id)
            hit.changes = versions.changes
        if said.cache_version is not None:
            required = self._required(said.cache_version, session.clinic_id, asked.clinic_id)
            if self._direct.behind(required):
                return None
        now = versions.now()
        held = self._sessions.usable(digest, session, now)
        if held is None:
            return None
        signed_in = perf_counter()
        entry = tiers.in_memory(hit.entry_key, now)
        if entry is None:
            return None
        if entry is not hit.entry():
            hit.serve(entry, now + tiers.seconds_left(asked.policy, entry, now))
        return entry, held, now, signed_in

    def _make(self, hit: PreparedHit, said: Said, found: Found, began: float, own_headers: Lines) -> Made | None:
        """The answer; None where the routes have not given one of its form yet."""
        entry, _, now, signed_in = found
        form, status, body = PLAIN, 200, entry.body
        known = said.if_none_match
        if known is not None and (known == entry.etag or matches(known, entry.etag)):
            form, status, body = KNOWN, 304, b""
        elif hit.decided.takes_gzip and entry.gzip is not None:
            form, body = PACKED, entry.gzip
        head = hit.filled.get(form) or hit.head(form, entry.etag, len(body))
        if head is None:
            return None
        request_id = said.request_id or b"%032x" % random.getrandbits(128)
        age, left = now - entry.computed_at, hit.until - now
        ended = perf_counter()
        head %= (
            milliseconds(signed_in - began),
            milliseconds(ended - signed_in),
            milliseconds(ended - began),
            request_id,
            left if left > 0 else 0,
            age if age > 0 else 0,
        )
        if own_headers is not self._own_headers:
            self._renew_own_heads(own_headers)
        return self._own_heads[form] + head + body, status, ended - began, request_id

    def _required_by(self, header: str, session_clinic: int | None, clinic_id: int | None) -> Vector:
        """The versions that a `Cache-Version` requires of a session of `session_clinic`, and of an entry."""
        return of_session(self._parse(header, session_clinic), session_clinic) | self._parse(header, clinic_id)

    def _renew_own_heads(self, own_headers: Lines) -> None:
        """The status lines and the server's own headers, the date among them."""
        own = b"".join(b"%b: %b\r\n" % line for line in own_headers)
        self._own_heads = {form: STATUS_LINE[304 if form is KNOWN else 200] + own for form in Form}
        self._own_headers = own_headers

    def _note(self, hit: PreparedHit, found: Found, made: Made) -> None:
        """What the routes would have noted: the session's use, the place's, counts, and the log line."""
        entry, held, now, _ = found
        _, status, seconds, request_id = made
        self._sessions.used(hit.decided.digest, held, now)
        self._stats.count(hit.decided.asked.policy.name, "hit", "memory")
        self._stats.prepared += 1
        if self._ahead is not None:
            self._ahead.note(hit.decided.asked, entry)
        self._requests.count("GET", hit.route, status, seconds * 1000)
        hit.line.write(request_id, status, milliseconds(seconds), max(0.0, now - entry.computed_at))


def milliseconds(seconds: float) -> bytes:
    """With two places."""
    number = int(seconds * 100_000)
    return HUNDREDTHS[number] if number < 1000 else b"%.2f" % (seconds * 1000)
