"""The first answer to a POST with `Idempotency-Key`, kept in the write's own transaction."""

import json
from dataclasses import dataclass

from sqlalchemy import text

from core.db.bumps import pending_bumps, versions_of
from core.db.named_lock import lock_named
from core.db.transaction import WriteSession
from core.errors import Conflict
from core.telemetry.trace import VersionRow

FORGET = text("DELETE FROM idempotency_key WHERE user_id = :user_id")
FIND = text(
    "SELECT body_digest, status, headers, body, stamped FROM idempotency_key"
    " WHERE user_id = :user_id AND method = :method AND path = :path AND key = :key AND expires_at > now()"
)
KEEP = text(
    "INSERT INTO idempotency_key (user_id, method, path, key, body_digest, status, headers, body, stamped, expires_at)"
    " VALUES (:user_id, :method, :path, :key, :digest, :status, CAST(:headers AS jsonb), :body, :stamped,"
    " now() + interval '24 hours')"
    " ON CONFLICT (user_id, method, path, key) DO UPDATE SET body_digest = excluded.body_digest,"
    " status = excluded.status, headers = excluded.headers, body = excluded.body, stamped = excluded.stamped,"
    " created_at = now(), expires_at = excluded.expires_at"  # an expired one is there until housekeeping takes it
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which POSTs are one: those of a user with the same path and key. With another body it is a mistake."""

    user_id: int
    method: str
    path: str
    key: str
    digest: bytes
    """Of the request's body, and of its query where it has one."""

    @property
    def name(self) -> str:
        """For the lock that its POSTs take."""
        return f"{self.user_id} {self.method} {self.path} {self.key}"


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer of a write that was done before, under the same key."""

    answer: Kept
    versions: list[VersionRow]
    """Those that the first one's write made, or newer: a client that sends them with a read reads its own write."""


async def replay(session: WriteSession, scope: Scope) -> Replayed | None:
    """The answer that the first POST of this scope got; None where this is the first one.

    Of two that come at the same time the second waits here until the first one's transaction has ended.

    Raises Conflict where the key was used with another body.
    """
    await lock_named(session, scope.name)
    row = (
        await session.execute(
            FIND, {"user_id": scope.user_id, "method": scope.method, "path": scope.path, "key": scope.key}
        )
    ).one_or_none()
    if row is None:
        return None
    if bytes(row.body_digest) != scope.digest:
        raise Conflict("This Idempotency-Key was used with another body.", code="idempotency_mismatch")
    versions = (await versions_of(session, row.stamped)).versions if row.stamped else []
    return Replayed(Kept(row.status, row.headers, bytes(row.body)), versions)


async def keep(session: WriteSession, scope: Scope, answer: Kept) -> None:
    """Store a 2xx answer. To be called last in its transaction; refusals raise before, and roll back."""
    await session.execute(
        KEEP,
        {
            "user_id": scope.user_id,
            "method": scope.method,
            "path": scope.path,
            "key": scope.key,
            "digest": scope.digest,
            "status": answer.status,
            "headers": json.dumps(answer.headers),
            "body": answer.body,
            "stamped": await pending_bumps(session),
        },
    )


async def forget(session: WriteSession, user_id: int) -> None:
    """Delete all answers kept for this user, who may not see all of them any more: none of them is sent again."""
    await session.execute(FORGET, {"user_id": user_id})
