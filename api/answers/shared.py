"""A read that is stored nowhere, but shared by those who ask the same at the same moment."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import NO_STORE
from api.requests.cache_version import versions_required
from core.cache.keys import Parameters, digest
from core.cache.policy import Policy
from core.runtime import Runtime
from core.trace import current


async def shared(
    request: Request,
    runtime: Runtime,
    policy: Policy,
    clinic_id: int | None,
    parameters: Parameters,
    compute: Callable[[], Awaitable[bytes]],
) -> Response:
    """What `compute` gives, as JSON that nobody may store. Raises Unavailable, and whatever `compute` raises.

    A flight is joined only under the versions that it began under, so nobody gets an answer from before a write that
    this process knows of, or that the client names by its `Cache-Version`.
    """
    started = perf_counter()
    required = versions_required(request, runtime, clinic_id)
    if required:
        await runtime.direct.require(required)
    await runtime.direct.ensure_fresh()
    # Nothing awaits from here until the flight is joined.
    token = policy.token_now(runtime.versions, clinic_id)
    key = f"{policy.name}:{clinic_id or 0}:{token}:{digest(parameters)}"
    # Where versions do not tell of every write, only what begins now has those before it.
    join = runtime.reads.join if runtime.versions.is_whole else runtime.reads.join_next
    body, joined = await join(key, compute)
    ms = (perf_counter() - started) * 1000
    current().cached(policy.name, "bypass", "database", ms=ms, collapsed=joined)
    return Response(body, media_type="application/json", headers=NO_STORE)
