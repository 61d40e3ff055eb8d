"""The log line of a prepared hit: what all hits on one cached read by one session have in common is written once."""

import time
from datetime import UTC, datetime
from functools import lru_cache

from pydantic_core import to_json

from api.middleware.request_log import EVENT, facts_of_request, write_request
from api.server.prepared.digits import tenths
from core.sessions.copies import SessionCopy
from core.telemetry.log import WRITER
from core.telemetry.log_lines import LINES, write_line
from core.telemetry.trace import Trace

GAPS = {"request_id": b'"%b"', "ms": b"%b", "age": b"%b"}
"""Fields that differ from line to line, in their order; last of all there is the time."""
TIME = b'"%b.%06dZ"'
GAP = "a gap"


class HitLine:
    """The log's line for prepared hits of one session on one route, made but for what differs each time."""

    def __init__(self, route: str, session: SessionCopy, policy: str, status: int) -> None:
        self._status = status
        self._trace = Trace(
            route=route,
            user_id=session.user_id,
            clinic_id=session.clinic_id,
            session_id=session.session_id,
            cache_policy=policy,
            cache_outcome="hit",
            cache_tier="memory",
        )
        facts = facts_of_request(self._trace, "GET", status, 0.0) | dict.fromkeys(GAPS, GAP)
        line = to_json(facts | EVENT | WRITER | {"timestamp": GAP}).replace(b"%", b"%%") + b"\n"
        for gap in (*GAPS.values(), TIME):
            line = line.replace(to_json(GAP), gap, 1)
        self._format = line

    def write(self, request_id: bytes, ms: bytes, age: float) -> None:
        """`ms` is a number in digits; `age` seconds."""
        if not LINES.are_json:
            self._trace.request_id, self._trace.cache_age = request_id.decode(), age
            write_request(facts_of_request(self._trace, "GET", self._status, float(ms)))
            return
        now = time.time()
        second = int(now)
        write_line(self._format % (request_id, ms, tenths(age), until_second(second), int((now - second) * 1_000_000)))


@lru_cache(maxsize=1)
def until_second(second: int) -> bytes:
    """The machine's time in UTC as the log writes it, up to the second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
