"""Working copies of sessions: what requests read instead of PostgreSQL, sealed in Redis, bounded in memory."""

import json
from collections import OrderedDict
from dataclasses import asdict, dataclass, fields, replace

from core.access import Actor, Role
from core.clock import boottime

KEPT = 300.0
"""Seconds since its last use that memory keeps a copy."""
BOUND = 20_000
"""Copies in memory; the least recently used goes first."""
SIZE = 1000
"""Bytes of one, roughly."""


@dataclass(frozen=True, slots=True)
class SessionCopy:
    """A session, its user and clinic as one snapshot of PostgreSQL had them. Times: epoch seconds, its clock."""

    session_id: int
    user_id: int
    username: str
    email: str
    role: Role
    clinic_id: int | None
    timezone: str
    """Of the clinic; a superuser's is the network's."""
    client: str
    expires_at: float
    idle_seconds: int | None
    """None: no idle limit."""
    last_seen_at: float
    """As PostgreSQL had it: up to five minutes behind."""
    users_version: int
    """Of (clinic or 0, users) in that snapshot."""
    clinics_version: int
    """Of (0, clinics) in that snapshot."""
    verified_at: float
    """When it was last known to be right."""

    @property
    def stamp(self) -> tuple[int, str]:
        return (self.clinic_id or 0, "users")

    def actor(self, *, ip: str | None = None, request_id: str | None = None) -> Actor:
        return Actor(
            user_id=self.user_id,
            username=self.username,
            email=self.email,
            role=self.role,
            clinic_id=self.clinic_id,
            session_id=self.session_id,
            client=self.client,
            ip=ip,
            request_id=request_id,
        )


SHAPE = ",".join(field.name for field in fields(SessionCopy))
"""A copy of another release, with another shape, is a miss."""


def encoded(digest: bytes, copy: SessionCopy) -> bytes:
    """For Redis, which seals it (core/cache/tiers/seals.py)."""
    return json.dumps([SHAPE, digest.hex(), asdict(copy)], separators=(",", ":")).encode()


def decoded(digest: bytes, raw: bytes | None) -> SessionCopy | None:
    """None for what is absent, of another shape, or another session's."""
    if raw is None:
        return None
    try:
        shape, owner, values = json.loads(raw)
        if (shape, owner) != (SHAPE, digest.hex()):
            return None
        return SessionCopy(**(values | {"role": Role(values["role"])}))
    except (ValueError, TypeError, KeyError):
        return None


class Held:
    """A copy in memory, with what this process knows beside it. Times are epoch seconds but for the two named so."""

    __slots__ = ("checked_at", "copy", "durable_at", "seen", "shared_at", "stored_at", "used_at", "verified_at")

    def __init__(self, copy: SessionCopy) -> None:
        self.copy = copy
        self.checked_at = float("-inf")
        """boottime: when the read of PostgreSQL that gave this copy began; -inf for one from Redis."""
        self.used_at = boottime()
        """boottime"""
        self.verified_at = copy.verified_at
        self.seen = copy.last_seen_at
        """The latest use that is known here; with the slack of its source where another process told it."""
        self.shared_at = self.stored_at = float("-inf")
        """When last seen, and the copy, were last written to Redis by this process."""
        self.durable_at = copy.last_seen_at
        """When last seen was last written to PostgreSQL, as far as is known here."""

    def current(self) -> SessionCopy:
        """The copy as it is worth keeping elsewhere."""
        return replace(self.copy, verified_at=self.verified_at)


class HeldCopies:
    """This process's copies, in the order of their last use."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._held: OrderedDict[bytes, Held] = OrderedDict()

    def get(self, digest: bytes) -> Held | None:
        held = self._held.get(digest)
        if held is None:
            return None
        now = boottime()
        if now - held.used_at > KEPT:
            del self._held[digest]
            return None
        held.used_at = now
        self._held.move_to_end(digest)
        return held

    def put(self, digest: bytes, copy: SessionCopy, *, checked_at: float = float("-inf")) -> None:
        """Hold `copy`, or replace the one that is held; what is known of its use stays."""
        held = self._held.get(digest)
        if held is None:
            held = self._held[digest] = Held(copy)
        else:
            held.copy = copy
            held.verified_at = copy.verified_at
            held.seen = max(held.seen, copy.last_seen_at)
            held.stored_at = float("-inf")
        held.checked_at = checked_at
        if len(self._held) > self._bound:
            self._held.popitem(last=False)

    def drop(self, digest: bytes) -> None:
        self._held.pop(digest, None)

    def of_clinic(self, clinic_id: int | None) -> list[bytes]:
        """Digests of the clinic's sessions (None: the superusers'). Those out of use are let go on the way."""
        oldest = boottime() - KEPT
        while self._held and next(iter(self._held.values())).used_at < oldest:
            self._held.popitem(last=False)
        return [digest for digest, held in self._held.items() if held.copy.clinic_id == clinic_id]

    def __len__(self) -> int:
        return len(self._held)
