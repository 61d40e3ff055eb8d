"""What is prepared: for each head that the routes have answered with a hit what they decided, and the head of the
answer with gaps (answer_head.py). Beside it each connection's last head. All of it together is bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import ref

from api.middleware.request_stats import RequestStats, Times
from api.requests.prepare import Decided
from api.server.heads import Lines
from api.server.prepared.answer_head import AnswerForm, form_of, with_gaps
from api.server.prepared.hit_line import HitLine
from api.server.prepared.said import Key, Said
from core.cache.entry import Entry

BOUND = 16 * 1024 * 1024
"""Bytes in one process, roughly; the least recently used goes first."""
SIZE = 4000
"""Bytes of a prepared hit, roughly, without its key."""
PER_SESSION = 64
"""So many are prepared for one session; the oldest goes first."""


def _none() -> None:
    return None


class PreparedAnswer:
    """What the answers to one head have in common that are of one form."""

    __slots__ = ("filled", "head", "line", "times")

    def __init__(self, head: bytes, line: HitLine, times: Times) -> None:
        self.head = head
        """With gaps (answer_head.py)."""
        self.filled = b""
        """The same with what the entry fills in that was answered last; empty before that."""
        self.line = line
        self.times = times
        """The series of requests that they count in."""

    def fill(self, etag: str, length: int) -> bytes:
        """`filled` with what an entry fills in."""
        self.filled = self.head % {b"etag": etag.encode(), b"length": length}
        return self.filled


class PreparedHit:
    """One cached read for one session."""

    __slots__ = ("answers", "changes", "counted", "decided", "entry", "entry_key", "until")

    def __init__(self, decided: Decided) -> None:
        self.decided = decided
        self.counted = (decided.asked.policy.name, "hit", "memory")
        self.answers: dict[AnswerForm, PreparedAnswer] = {}
        """Of the forms in which the routes have answered."""
        self.changes = -1
        """`VersionMap.changes` when `entry_key` was made and the session was current; -1: not yet."""
        self.entry_key = ""
        self.entry: Callable[[], Entry | None] = _none
        """A weak reference to the one that was answered last: what memory has put out is not held here."""
        self.until = 0.0
        """Until when that entry serves, by time alone: epoch seconds."""

    def serve(self, entry: Entry, until: float) -> None:
        """From now on answers are made of this entry, until another is given."""
        self.entry, self.until = ref(entry), until
        for answer in self.answers.values():
            answer.filled = b""


class KeepsLastHead(Protocol):
    """A connection that keeps its last head, for the client that sends the same again."""

    def forget_last(self) -> None:
        """Let go of the last head."""


@dataclass(slots=True)
class PlainHead:
    """A segment that is one whole head, and what is prepared for it."""

    segment: bytes
    said: Said
    hit: PreparedHit | None


class PreparedHits:
    """What is prepared, by the heads that ask for it, `bound` bytes at most. One per process that serves."""

    def __init__(self, requests: RequestStats, bound: int = BOUND) -> None:
        self._requests = requests
        self._bound = bound
        self._kept: OrderedDict[Key | KeepsLastHead, int] = OrderedDict()
        """Keys, and connections with a last head → bytes; the least recently used is the first."""
        self._bytes = 0
        self._hits: dict[Key, PreparedHit] = {}
        self._of_session: dict[bytes, OrderedDict[Key, None]] = {}
        """Digest → keys, the oldest first."""

    def find(self, key: Key) -> PreparedHit | None:
        """What is prepared under a key. This is its use."""
        hit = self._hits.get(key)
        if hit is not None:
            self._kept.move_to_end(key)
        return hit

    def prepare(self, said: Said, decided: Decided, route: str, status: int, lines: Lines) -> None:
        """Keep what the route decided, and the head of its answer: `lines` without the server's own."""
        head = with_gaps(status, lines)
        if head is None:
            return
        hit = self.find(said.key)
        if hit is None or not hit.decided.is_same(decided):
            self.drop(said.key)
            hit = self._hits[said.key] = PreparedHit(decided)
            of_session = self._of_session.setdefault(decided.digest, OrderedDict())
            of_session[said.key] = None
            if len(of_session) > PER_SESSION:
                self.drop(next(iter(of_session)))
            self._keep(said.key, SIZE + said.size)
        line = HitLine(route, decided.session, decided.asked.policy.name, status)
        hit.answers[form_of(status, lines)] = PreparedAnswer(head, line, self._requests.series("GET", route, status))

    def keep_last(self, connection: KeepsLastHead, size: int) -> None:
        """Count a connection's last head, of so many bytes, as used now; its coming again is not noted.
        `connection.forget_last` is called where there is no room for it any more; it is soon known and kept again."""
        self._keep(connection, size)

    def _keep(self, key: Key | KeepsLastHead, size: int) -> None:
        self._bytes += size - self._kept.pop(key, 0)
        self._kept[key] = size
        while self._bytes > self._bound:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Key | KeepsLastHead) -> None:
        """Let go of what is kept under a key, or of a connection, if anything is."""
        if key not in self._kept:
            return
        self._bytes -= self._kept.pop(key)
        if not isinstance(key, tuple):
            key.forget_last()
            return
        digest = self._hits.pop(key).decided.digest
        of_session = self._of_session[digest]
        del of_session[key]
        if not of_session:
            del self._of_session[digest]

    def __len__(self) -> int:
        """Heads for which something is prepared."""
        return len(self._hits)
