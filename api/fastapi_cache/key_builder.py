"""fastapi-cache2's KeyBuilder: what makes a route with its plain `@cache` coherent and private.

    @router.get("/report")
    @cache(expire=60, namespace="reports")
    async def report(actor: CurrentUser) -> Report: ...

A key has the versions of what the answer is made of, read with a valid lease before the route runs: a value can only be
newer than its key says. So nothing has to be deleted after a write: the next request asks for another key.
"""

import secrets
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Any

from fastapi_cache import FastAPICache
from starlette.requests import Request
from starlette.responses import Response

from api.fastapi_cache.arguments import Asked, asked_of, shape_of_answer
from api.fastapi_cache.backend import TieredBackend
from api.fastapi_cache.invalidation import digest_of, topics_of
from api.fastapi_cache.key import RouteKey, RouteReading
from api.requests.headers.cache_version import versions_required
from api.requests.headers.request_headers import headers_of
from core import times
from core.cache.keys import digest
from core.cache.policy import TOPICS, EntryId, Policy
from core.cache.tiers.last_good import NO_PARAMETERS
from core.clock import boottime
from core.errors import Unavailable
from core.telemetry.trace import current

PREFIX = "ticket-home"
ROUTE = "route"
"""The policy under which routes are counted whose namespace names none."""
MADE_OF = {"catalogs": ("catalogs", "clinics"), "clinics": ("clinics",)}
"""By a namespace's first part, the topics whose versions are in its keys; in those of all other namespaces every
topic's are. `catalogs:thresholds` is made of catalogs and clinics, and counted as `thresholds`."""


class RouteKeys:
    """Without state: the decorator keeps the first one that it is given, for good, and several applications
    may run in one process, one after the other or at once. What a request needs is its application's."""

    async def __call__(
        self,
        function: Callable[..., Any],
        namespace: str = "",
        *,
        request: Request | None = None,
        response: Response | None = None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> RouteKey:
        """Of what is asked for, under the versions that hold now, or newer ones where the request's `Cache-Version`
        says so; with what is found under it. Where nothing is, it is this request's turn to compute it.

        Raises Unavailable where the versions cannot be known; where another request computes it for longer than this
        one can wait; and, where no route class labels what is stale, where the user's session could not be verified.
        """
        started = perf_counter()
        asked = asked_of(function, namespace, request, args, kwargs)
        entry_id = _entry_id_of(function, namespace, asked)
        reading: RouteReading | None = getattr(request.state, "reading", None) if request is not None else None
        if reading is not None:
            reading.entry_id = entry_id
        elif current().session_age is not None:
            raise Unavailable
        backend = _backend_of(request)
        runtime = backend.runtime
        required = versions_required(headers_of(request.scope), runtime, asked.clinic_id) if request is not None else {}
        if required:
            await runtime.direct.require(required)
        await runtime.direct.ensure_fresh()
        # Nothing awaits from here until the backend has looked in memory.
        key = _key_of(entry_id, asked.digest, backend)
        key.started = started
        if reading is not None:
            reading.key = key
        key.found = await backend.find_or_take_turn(key)
        return key


def _backend_of(request: Request | None) -> TieredBackend:
    own = getattr(request.app.state, "plain_cache", None) if request is not None else None
    backend = own or FastAPICache.get_backend()
    if not isinstance(backend, TieredBackend):
        raise TypeError("fastapi-cache2 was initialised with another backend than ours")
    return backend


def _key_of(entry_id: EntryId, asked: str, backend: TieredBackend) -> RouteKey:
    """Where the versions do not tell of every write (a restore is under way), nothing is looked up or stored: the key
    is one that nobody else asks for, and never current."""
    versions, keys = backend.runtime.versions, backend.runtime.redis.keys
    policy, clinic_id = entry_id.policy, entry_id.clinic_id
    is_whole = versions.is_whole
    token = policy.token_now(versions, clinic_id)
    shown = digest_of(token) if is_whole else secrets.token_hex(12)
    key = RouteKey(keys.entry(policy.name, policy.shape, clinic_id, shown, asked))
    key.entry_id = entry_id
    key.backend = backend
    key.is_kept = is_whole
    key.at = versions.now()
    true_at = versions.true_at()

    def is_current() -> bool:
        if not (is_whole and versions.is_whole):
            return False
        holds = versions.is_fresh() and policy.token_now(versions, clinic_id) == token
        return holds or boottime() - true_at < times.OVERTAKEN

    key.is_current = is_current
    return key


def _entry_id_of(function: Callable[..., Any], namespace: str, asked: Asked) -> EntryId:
    parameters = NO_PARAMETERS if asked.is_plain else digest({"asked": asked.digest})
    return EntryId(policy_of(function, namespace), asked.clinic_id, parameters)


@lru_cache(maxsize=512)
def policy_of(function: Callable[..., Any], namespace: str) -> Policy:
    """What the function's answers depend on by their namespace, and their shape. `namespace` begins with PREFIX."""
    first, _, name = namespace.removeprefix(f"{PREFIX}:").partition(":")
    topics = MADE_OF.get(first)
    return Policy(
        name=name if topics and name else ROUTE,
        ttl=0.0,  # the route's own, which `@cache` gives to the backend alone
        shape=shape_of_answer(function),
        topics=topics or TOPICS,
        global_topics=(topics or TOPICS) + topics_of(namespace),
    )
