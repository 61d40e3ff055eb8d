"""What is prepared: for each head that the routes have answered with a hit what they decided, and the head of the
answer with gaps (answer_head.py). Beside it each connection's last head. All of it together is bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol
from weakref import ref

from api.requests.prepare import Decided
from api.server.answer_head import Form, form_of, with_gaps
from api.server.heads import Lines
from api.server.hit_line import HitLine
from api.server.said import Key, Said
from core.cache.entry import Entry

BOUND = 16 * 1024 * 1024
"""Bytes in one process, roughly; the least recently used goes first."""
SIZE = 4000
"""Bytes of a prepared hit, roughly, without its key."""
PER_SESSION = 64
"""So many are prepared for one session; the oldest goes first."""


def _none() -> None:
    return None


class PreparedHit:
    """One cached read for one session, and the heads of its answers."""

    __slots__ = ("changes", "decided", "entry", "entry_key", "filled", "heads", "line", "route", "until")

    def __init__(self, decided: Decided, route: str) -> None:
        """`route` is its template."""
        self.decided = decided
        self.route = route
        self.line = HitLine(route, decided.session, decided.asked.policy.name)
        self.heads: dict[Form, bytes] = {}
        """What follows the server's own headers, with gaps."""
        self.changes = -1
        """`VersionMap.changes` when `entry_key` was made and the session was current; -1: not yet."""
        self.entry_key = ""
        self.entry: Callable[[], Entry | None] = _none
        """A weak reference to the one that was answered last: what memory has put out is not held here."""
        self.filled: dict[Form, bytes] = {}
        """`heads` with what that entry fills in."""
        self.until = 0.0
        """Until when that entry serves, by time alone: epoch seconds."""

    def serve(self, entry: Entry, until: float) -> None:
        """From now on answers are made of this entry, until another is given."""
        self.entry, self.until = ref(entry), until
        self.filled.clear()

    def head(self, form: Form, etag: str, length: int) -> bytes | None:
        """The head with what the entry fills in; None where the routes have not answered in this form yet."""
        filled = self.filled.get(form)
        if filled is None and (head := self.heads.get(form)) is not None:
            filled = self.filled[form] = head % ((etag.encode(),) if form is Form.KNOWN else (etag.encode(), length))
        return filled


class Connection(Protocol):
    def forget_last(self) -> None:
        """Let go of the last head."""


class LastHead(NamedTuple):
    """A connection's last head, byte for byte, where that was one whole segment and was answered by a prepared hit."""

    segment: bytes
    said: Said
    hit: PreparedHit


class PreparedHits:
    """One per process that serves. `bound`: bytes."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._kept: OrderedDict[Key | Connection, int] = OrderedDict()
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
            hit = self._hits[said.key] = PreparedHit(decided, route)
            of_session = self._of_session.setdefault(decided.digest, OrderedDict())
            of_session[said.key] = None
            if len(of_session) > PER_SESSION:
                self.drop(next(iter(of_session)))
            self._keep(said.key, SIZE + said.size)
        form = form_of(status, lines)
        hit.heads[form] = head
        hit.filled.pop(form, None)

    def keep_last(self, connection: Connection, segment: bytes) -> None:
        """Count a connection's last head; `connection.forget_last` is called where there is no room for it any more."""
        self._keep(connection, len(segment))

    def used_last(self, connection: Connection) -> None:
        """Note that a connection's last head came once more."""
        self._kept.move_to_end(connection)

    def _keep(self, key: Key | Connection, size: int) -> None:
        self._bytes += size - self._kept.pop(key, 0)
        self._kept[key] = size
        while self._bytes > self._bound:
            self.drop(next(iter(self._kept)))

    def drop(self, key: Key | Connection) -> None:
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
