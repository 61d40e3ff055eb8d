"""A write's answer: one transaction, and with `Idempotency-Key` the same answer again however often it is sent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.answers.cached import NO_STORE
from core import times
from core.access import Actor
from core.audit.record import record_all
from core.db.transaction import WriteSession
from core.errors import Invalid
from core.patients.mismatch import PatientMismatch
from core.runtime import Runtime
from core.sessions.idempotency import Kept, Replayed, Scope, keep, replay
from core.telemetry.trace import current

HEADER = "Idempotency-Key"
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Written:
    """The answer of a write, sent when its transaction has committed. `body` None: an empty answer."""

    status: int = 200
    body: BaseModel | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return b"" if self.body is None else self.body.model_dump_json().encode()


Work = Callable[[WriteSession], Awaitable[Written]]


async def write(
    request: Request, runtime: Runtime, actor: Actor, work: Work, *, budget: float = times.DATABASE
) -> Response:
    """Run `work` in one transaction, within `budget` seconds, and answer what it gives, after the commit.

    Raises Invalid for a malformed Idempotency-Key, Conflict for one used before with another body, what `work` raises,
    and Unavailable where the database is away.
    """
    scope = await idempotency_scope(request, actor) if request.method == "POST" else None

    async def once(session: WriteSession) -> Kept | Replayed:
        # Before references in the body are looked up, though their refusal is a 422: a true repetition is answered as
        # the first was, also where a reason was deactivated since.
        if scope is not None and (replayed := await replay(session, scope)) is not None:
            return replayed
        written = await work(session)
        made = Kept(written.status, dict(written.headers), written.encoded())
        if scope is not None:
            await keep(session, scope, made)
        return made

    try:
        answered = await runtime.database.write(once, budget=budget)
    except PatientMismatch as question:
        await _record_shown(runtime, actor, question)
        raise
    if isinstance(answered, Kept):
        return _answer(answered)
    # As after the write itself: the client reads it with what the middleware tells, and from this process at once.
    runtime.versions.learn(answered.versions)
    current().cache_versions_made += answered.versions
    return _answer(answered.answer, {"Idempotency-Replayed": "true"})


async def _record_shown(runtime: Runtime, actor: Actor, question: PatientMismatch) -> None:
    """In a transaction of its own: the write that led to it is undone. Nobody is shown who could not be recorded."""

    async def work(session: WriteSession) -> None:
        await record_all(session, actor, [question.entry], clinic_id=question.clinic_id)

    await runtime.database.write(work)


def _answer(kept: Kept, more: Mapping[str, str] | None = None) -> Response:
    headers = NO_STORE | kept.headers | dict(more or {})
    return Response(kept.body, kept.status, media_type="application/json" if kept.body else None, headers=headers)


async def idempotency_scope(request: Request, actor: Actor) -> Scope | None:
    """What makes two requests one write: user, method, path, Idempotency-Key, and a digest of query and body. None
    without the header; raises Invalid for a key that is empty, too long, or has other characters than visible ASCII."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST or not all("!" <= character <= "~" for character in key):
        raise Invalid.field(HEADER, "invalid", f"1 to {LONGEST} visible ASCII characters.")
    digest = sha256(await request.body()).digest()
    if query := request.scope["query_string"]:
        # What is asked of the same file may be another thing: to try it, or to do it.
        digest = sha256(digest + query).digest()
    return Scope(actor.user_id, request.method, request.url.path, key, digest)
