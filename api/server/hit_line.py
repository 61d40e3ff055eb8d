"""The log line of a prepared hit: what all hits on one cached read by one session have in common is written once."""

import time
from datetime import UTC, datetime

from pydantic_core import to_json

from api.middleware.request_log import EVENT, facts_of_request, write_request
from core.log import WRITER
from core.log_lines import LINES, write_line
from core.sessions.copies import SessionCopy
from core.trace import Trace

GAPS = ("request_id", "status", "ms", "age")
"""Fields that differ from line to line, in their order; last of all there is the time."""
GAP = "a gap"


class HitLine:
    def __init__(self, route: str, session: SessionCopy, policy: str) -> None:
        self._trace = Trace(
            route=route,
            user_id=session.user_id,
            clinic_id=session.clinic_id,
            session_id=session.session_id,
            cache_policy=policy,
            cache_outcome="hit",
            cache_tier="memory",
        )
        facts = facts_of_request(self._trace, "GET", 200, 0.0) | dict.fromkeys(GAPS, GAP)
        line = to_json(facts | EVENT | WRITER | {"timestamp": GAP}) + b"\n"
        self._format = line.replace(b"%", b"%%").replace(to_json(GAP), b"%b")
        self._second = 0
        self._until_second = b""

    def write(self, request_id: bytes, status: int, ms: bytes, age: float) -> None:
        """`ms` is a number in digits; `age` seconds."""
        if not LINES.are_json:
            self._trace.request_id, self._trace.cache_age = request_id.decode(), age
            write_request(facts_of_request(self._trace, "GET", status, float(ms)))
            return
        tenths = int(age * 10)
        digits = b"%d.%d" % (tenths // 10, tenths % 10)
        write_line(self._format % (b'"%b"' % request_id, b"%d" % status, ms, digits, self._now()))

    def _now(self) -> bytes:
        """The machine's time, in JSON."""
        microseconds = time.time_ns() // 1000
        second = microseconds // 1_000_000
        if second != self._second:
            self._second = second
            self._until_second = datetime.fromtimestamp(second, UTC).strftime('"%Y-%m-%dT%H:%M:%S').encode()
        return b'%b.%06dZ"' % (self._until_second, microseconds % 1_000_000)
