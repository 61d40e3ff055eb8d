"""Working copies of sessions, which requests read instead of the records: where they come from, and those in memory."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import text

from core.access import Actor, Role
from core.clock import DEFAULT_ZONE, boottime
from core.db.transaction import ReadSession

KEPT = 300.0
"""Seconds since its last use that memory keeps a copy."""
BOUND = 20_000
"""Copies in memory; the least recently used goes first."""
SIZE = 1000
"""Bytes of one, roughly."""
NEVER = float("-inf")

# One statement, so one snapshot: the versions are those that the rest was read under. A user who was moved to another
# clinic is signed in to none; a display of somebody who may do more than read is none.
USABLE = text("""
SELECT s.token_hash, s.id AS session_id, s.user_id, u.username, u.email, u.role, u.clinic_id, c.timezone, s.client,
       CAST(extract(epoch FROM s.expires_at) AS float8) AS expires_at, s.idle_seconds,
       CAST(extract(epoch FROM s.last_seen_at) AS float8) AS last_seen_at,
       coalesce((SELECT version FROM cache_version
                 WHERE clinic_id = coalesce(u.clinic_id, 0) AND topic = 'users'), 0) AS users_version,
       coalesce((SELECT version FROM cache_version WHERE clinic_id = 0 AND topic = 'clinics'), 0) AS clinics_version,
       CAST(extract(epoch FROM clock_timestamp()) AS float8) AS verified_at
FROM user_session s
JOIN app_user u ON u.id = s.user_id
LEFT JOIN clinic c ON c.id = u.clinic_id
WHERE s.token_hash = ANY(CAST(:digests AS bytea[])) AND s.revoked_at IS NULL AND s.expires_at > now() AND u.is_active
  AND coalesce(c.is_active, true) AND s.clinic_id IS NOT DISTINCT FROM u.clinic_id
  AND (s.client <> 'display' OR u.role = 'viewer')
""")


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
        """(clinic or 0, "users"): the version that each change of this user or session bumps."""
        return (self.clinic_id or 0, "users")

    def actor(self, *, ip: str | None = None, request_id: str | None = None) -> Actor:
        """Its user, as who a request with that address and id acts."""
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


async def from_postgresql(session: ReadSession, digests: Sequence[bytes]) -> dict[bytes, SessionCopy]:
    """Digest → copy, for those of the sessions that may be used just now; the others are left out."""
    found: dict[bytes, SessionCopy] = {}
    for row in (await session.execute(USABLE, {"digests": list(digests)})).mappings():
        values = dict(row)
        digest = values.pop("token_hash")
        values["role"] = Role(values["role"])
        values["timezone"] = values["timezone"] or DEFAULT_ZONE
        found[digest] = SessionCopy(**values)
    return found


def to_json(digest: bytes, copy: SessionCopy) -> bytes:
    """For Redis, which seals it (core/cache/tiers/seals.py)."""
    return json.dumps([SHAPE, digest.hex(), asdict(copy)], separators=(",", ":")).encode()


def from_json(digest: bytes, raw: bytes | None) -> SessionCopy | None:
    """The copy that `to_json` wrote; None for what is absent, of another release's shape, or another session's."""
    if raw is None:
        return None
    try:
        shape, owner, values = json.loads(raw)
        if (shape, owner) != (SHAPE, digest.hex()):
            return None
        return SessionCopy(**(values | {"role": Role(values["role"])}))
    except (ValueError, TypeError, KeyError):
        return None


@dataclass(slots=True)
class HeldCopy:
    """A copy in memory, with what this process knows beside it. Times are epoch seconds but for the two named so."""

    copy: SessionCopy
    verified_at: float
    seen: float
    """The latest use that is known here. Where another process noted it, up to the end of the pause between two of its
    notes: it may have been used until then."""
    kept_at: float
    """When last seen was last written to PostgreSQL, as far as is known here."""
    used_at: float
    """boottime"""
    checked_at: float = NEVER
    """boottime: when the read of PostgreSQL that gave this copy began; NEVER for one from Redis."""
    shared_at: float = NEVER
    """When this process last wrote last seen to Redis."""
    stored_at: float = NEVER
    """When this process last wrote the copy to Redis."""
    due_at: float = NEVER
    """When the first of those three writes is due again."""

    def is_idle(self, now: float) -> bool:
        """Whether the session was unused for too long, as far as this process knows. Nobody is refused for it alone:
        other processes may know of a later use."""
        return self.copy.idle_seconds is not None and now - self.seen > self.copy.idle_seconds


class HeldCopies:
    """This process's copies, in the order of their last use."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._held: OrderedDict[bytes, HeldCopy] = OrderedDict()

    def get(self, digest: bytes, moment: float) -> HeldCopy | None:
        """The copy that is held, `moment` (boottime, now) being its last use; None where none is, or its last use was
        KEPT seconds ago."""
        held = self._held.get(digest)
        if held is None:
            return None
        if moment - held.used_at > KEPT:
            del self._held[digest]
            return None
        held.used_at = moment
        self._held.move_to_end(digest)
        return held

    def put(self, digest: bytes, copy: SessionCopy, *, checked_at: float = NEVER) -> None:
        """Hold `copy`, or replace the one that is held; what is known of its use stays.

        `checked_at`: when (boottime) the read of PostgreSQL that gave it began; not given for one from Redis.
        """
        held = self._held.get(digest)
        if held is None:
            seen = copy.last_seen_at
            held = HeldCopy(copy, copy.verified_at, seen=seen, kept_at=seen, used_at=boottime())
            self._held[digest] = held
        else:
            held.copy, held.verified_at = copy, copy.verified_at
            held.seen = max(held.seen, copy.last_seen_at)
            held.stored_at = held.due_at = NEVER
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
