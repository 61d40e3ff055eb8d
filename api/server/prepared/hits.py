"""Answering a prepared hit: a hit that the routes have answered once is answered again without them.

They parse, authorise and validate; what they decided is kept (prepared.py). Here everything is looked at anew that
time, writers or operators can have changed since. Any doubt leaves the request to the routes.
"""

from asyncio import Transport
from binascii import hexlify
from functools import lru_cache
from random import getrandbits

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.middleware.request_log import facts_of
from api.middleware.request_stats import RequestStats
from api.requests.headers.cache_version import of_session
from api.requests.headers.conditional import matches
from api.server.heads import Lines
from api.server.prepared.answer_head import AnswerForm
from api.server.prepared.digits import milliseconds, whole
from api.server.prepared.prepared import PreparedAnswer, PreparedHit, PreparedHits
from api.server.prepared.said import Said
from core.cache.entry import Entry
from core.cache.versions.vector import Vector
from core.clock import boottime
from core.runtime import Runtime
from core.sessions.copies import HeldCopy
from core.telemetry.log import warn_seldom

HITS = "hits"
"""Where a protocol finds them, in the state of the lifespan."""
PLAIN, PACKED, KNOWN = AnswerForm.PLAIN, AnswerForm.PACKED, AnswerForm.KNOWN
Found = tuple[Entry, HeldCopy, float, float]
"""(entry, session, the database's clock, boottime once the session was known to be right)"""
Made = tuple[bytes, PreparedAnswer, float, bytes, bytes, float]
"""(the answer as it goes to the socket, what it was made of, seconds since it was asked for, milliseconds as text, its
request id, the entry's age in seconds)"""


class Hits:
    """Answers requests for what is prepared, without the routes. One per process that serves."""

    def __init__(self, runtime: Runtime, requests: RequestStats) -> None:
        self.prepared = PreparedHits(requests)
        self._versions = runtime.versions
        self._direct = runtime.direct
        self._sessions = runtime.sessions
        self._tiers = runtime.cache.tiers
        self._stats = runtime.cache.stats
        self._ahead = runtime.cache.ahead
        self._parse = runtime.version_header.parse
        self._required = lru_cache(maxsize=1024)(self._required_by)
        self._own_headers: Lines = []
        self._own_heads: dict[AnswerForm, bytes] = {}

    def answer(self, hit: PreparedHit, said: Said, transport: Transport, own_headers: Lines) -> bool:
        """Whether the request was answered here: if not, nothing was written. `own_headers` are the server's, a new
        list whenever they change."""
        try:
            began = boottime()
            found = self._find(hit, said, began)
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

    def _find(self, hit: PreparedHit, said: Said, moment: float) -> Found | None:
        """What answers it at this `moment` (boottime); None where the routes have to find out. Nothing awaits from here
        until the answer is written: lease, versions and clock are those of one moment."""
        versions, tiers = self._versions, self._tiers
        asked, session = hit.decided.asked, hit.decided.session
        if not versions.is_fresh_at(moment):
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
        now = versions.clock.at(moment)
        held = self._sessions.usable(hit.decided.digest, session, moment, now)
        if held is None:
            return None
        signed_in = boottime()
        entry = tiers.in_memory(hit.entry_key, now)
        if entry is None:
            return None
        if entry is not hit.entry():
            hit.serve(entry, now + tiers.seconds_left(asked.policy, entry, now))
        return entry, held, now, signed_in

    def _make(self, hit: PreparedHit, said: Said, found: Found, began: float, own_headers: Lines) -> Made | None:
        """The answer; None where the routes have not given one of its form yet."""
        entry, _, now, signed_in = found
        form, body = PLAIN, entry.body
        known = said.if_none_match
        if known is not None and (known == entry.etag or matches(known, entry.etag)):
            form, body = KNOWN, b""
        elif hit.decided.takes_gzip and entry.gzip is not None:
            form, body = PACKED, entry.gzip
        answer = hit.answers.get(form)
        if answer is None:
            return None
        if own_headers is not self._own_headers:
            self._renew_own_heads(own_headers)
        request_id = said.request_id or hexlify(getrandbits(128).to_bytes(16, "big"))
        age, left = now - entry.computed_at, hit.until - now
        if age < 0:
            age = 0.0
        ended = boottime()
        took = milliseconds(ended - began)
        written = (answer.filled or answer.fill(entry.etag, len(body))) % (
            self._own_heads[form],
            milliseconds(signed_in - began),
            milliseconds(ended - signed_in),
            took,
            request_id,
            whole(int(left)) if left > 0 else b"0",
            whole(int(age)),
            body,
        )
        return written, answer, ended - began, took, request_id, age

    def _required_by(self, header: str, session_clinic: int | None, clinic_id: int | None) -> Vector:
        """The versions that a `Cache-Version` requires of a session of `session_clinic`, and of an entry."""
        return of_session(self._parse(header, session_clinic), session_clinic) | self._parse(header, clinic_id)

    def _renew_own_heads(self, own_headers: Lines) -> None:
        """The status lines and the server's own headers, the date among them."""
        own = b"".join(b"%b: %b\r\n" % line for line in own_headers)
        self._own_heads = {form: STATUS_LINE[304 if form is KNOWN else 200] + own for form in AnswerForm}
        self._own_headers = own_headers

    def _note(self, hit: PreparedHit, found: Found, made: Made) -> None:
        """What the routes would have noted: the session's use, the place's, counts, and the log line."""
        entry, held, now, _ = found
        _, answer, seconds, ms, request_id, age = made
        self._sessions.used(hit.decided.digest, held, now)
        self._stats.counts[hit.counted] += 1
        self._stats.prepared += 1
        if self._ahead is not None:
            self._ahead.note(hit.decided.asked, entry)
        answer.times.count(seconds)
        answer.line.write(request_id, ms, age)
