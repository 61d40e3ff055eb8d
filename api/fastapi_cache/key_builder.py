"""fastapi-cache2's key builder and start-up: what makes a route with its plain `@cache` coherent and private.

    @router.get("/report")
    @cache(expire=60, namespace="reports")
    async def report(actor: CurrentUser) -> Report: ...

Its key holds the user, the clinic, and every version of that clinic, read with a valid lease before the route runs: a
value can only be newer than its key says. What that decorator cannot do, `cached` does (api/answers/cached.py): one
flight, the last good answer, an ETag that is the same on every process, and an answer checked again when it goes out.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any, get_type_hints
from uuid import UUID

from fastapi_cache import FastAPICache
from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from api.fastapi_cache.backend import DEFAULT_TTL, Bump, JsonCoder, TieredBackend
from core.access import Actor
from core.cache.keys import Keys
from core.cache.policy import TOPICS, Policy, shape_of
from core.cache.stats.counters import CacheStats
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.db.transaction import Database, WriteSession
from core.errors import Unavailable
from core.trace import current

PREFIX = "ticket-home"
KIND = "route"
"""Under which the admin's page counts these entries."""
PLAIN = (str, int, float, bool, type(None), Decimal, date, time, UUID, Enum)
"""Arguments whose text says all about them; models, dataclasses, lists and mappings are their parts. A service or
a session says only where it lies in memory."""
SHORT = re.compile(r"[A-Za-z0-9_.-][A-Za-z0-9_.:-]{0,59}")
REMEMBER = text("SELECT cache_remember(ARRAY[CAST(:key AS text)])")


def init_fastapi_cache(
    database: Database,
    versions: VersionMap,
    direct: DirectReads,
    memory: MemoryTier,
    redis: RedisTier,
    stats: CacheStats,
) -> None:
    """At start-up. The library's state is one per process: where several applications run in one, the last has it."""
    FastAPICache.reset()
    FastAPICache.init(
        TieredBackend(memory, redis, bump_with(database), stats),
        prefix=PREFIX,
        expire=DEFAULT_TTL,
        coder=JsonCoder,
        key_builder=RouteKeys(versions, direct, redis.keys),
    )


def topic_of(namespace: str) -> str:
    """The namespace's topic in `cache_version`, of clinic 0: its name, or a digest where that would not fit."""
    return "ns:" + (namespace if SHORT.fullmatch(namespace) else _digest(namespace))


def topics_of(namespace: str) -> tuple[str, ...]:
    """`a:b` ends with its own clear and with that of `a`, as the library's own backends have it."""
    parts = [part for part in namespace.split(":") if part]
    return tuple(topic_of(":".join(parts[:end])) for end in range(1, len(parts) + 1))


@lru_cache(maxsize=512)
def policy_of(namespace: str) -> Policy:
    """Everything of the clinic and of the network, and the namespace's own topics."""
    return Policy(KIND, DEFAULT_TTL, "", TOPICS, TOPICS + topics_of(namespace))


def bump_with(database: Database) -> Bump:
    async def bump(namespace: str) -> None:
        async def work(session: WriteSession) -> None:
            await session.execute(REMEMBER, {"key": f"0/{topic_of(namespace.rstrip(':'))}"})

        await database.write(work)

    return bump


class RouteKeys:
    """The KeyBuilder: `th:{c5}:route:<user>:<digest of the versions>:<digest of the call>`."""

    def __init__(self, versions: VersionMap, direct: DirectReads, keys: Keys) -> None:
        self._versions = versions
        self._direct = direct
        self._keys = keys

    async def __call__(
        self,
        function: Callable[..., Any],
        namespace: str = "",
        *,
        request: Request | None = None,
        response: Response | None = None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> str:
        """Raises Unavailable where the versions cannot be known, or could not be when the session was read: the plain
        decorator has no stale answers to label.

        The user is `request.state.actor`; without one, or without a request, the answer is everybody's, and depends on
        the versions of all clinics.
        """
        await self._direct.ensure_fresh()
        if current().is_unverified:
            raise Unavailable
        actor: Actor | None = getattr(request.state, "actor", None) if request is not None else None
        clinic_id = actor.clinic_id if actor is not None else None
        token = policy_of(namespace).token_now(self._versions, clinic_id)
        if not self._versions.is_whole:
            # The decorator looks nothing up by a key of its own, and whatever it stores is never asked for.
            token += f".{secrets.token_hex(8)}"
        scope = f"u{actor.user_id}" if actor is not None else "public"
        return self._keys.of(clinic_id, KIND, scope, _digest(token), call(function, namespace, request, args, kwargs))


def call(
    function: Callable[..., Any],
    namespace: str,
    request: Request | None,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> str:
    """Digest of what is called with what. Raises TypeError for an argument that has no text of its own.

    A request's path and query say what is asked (values of one name in their order); models and lists, which may come
    from its headers, say more. Its injected objects say nothing and are left out. Their addresses in the library's own
    keys mixed users up (docs/design/cache.md).
    """
    texts = [text_of(value) for value in args]
    named = {name: text_of(value) for name, value in sorted(kwargs.items())}
    asked: list[Any] = []
    if request is not None:
        asked = [request.url.path, sorted(request.query_params.multi_items(), key=itemgetter(0))]
    silent = [value for value in (*args, *kwargs.values()) if text_of(value) is None]
    # A model is what a client sent; any other object, with a request, is injected.
    if any(request is None or isinstance(value, BaseModel) for value in silent):
        raise TypeError(f"{function.__qualname__} cannot be cached: an argument is neither text, number nor date")
    return _digest(json.dumps([namespace, _signature(function), asked, texts, named]))


def text_of(value: object) -> list[Any] | None:
    """[its type, what it says]: 1 is not "1". None for what says nothing but where it lies in memory.

    By parts, not as JSON: that leaves out what a model excludes, and hides secrets, and two callers would be one.
    """
    if isinstance(value, PLAIN):
        return [type(value).__qualname__, str(value)]
    parts: list[object]
    if isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, dict):
        parts = [part for item in value.items() for part in item]
    elif isinstance(value, BaseModel):
        parts = [part for item in value for part in item]
    elif is_dataclass(value):
        parts = [getattr(value, field.name) for field in fields(value)]
    else:
        return None
    texts = [text_of(part) for part in parts]
    return None if None in texts else [type(value).__qualname__, *texts]


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> str:
    """Where it stands, and its answer's shape: a deploy that changes the shape meets no old bytes."""
    try:
        answer = get_type_hints(function).get("return")
        shape = shape_of(answer)
    except (NameError, PydanticUserError):
        # Named where it cannot be looked up, or, like a Response, without a schema.
        shape = repr(function.__annotations__.get("return"))
    return f"{function.__module__}.{function.__qualname__}:{shape}"


def _digest(value: str) -> str:
    return blake2b(value.encode(), digest_size=12).hexdigest()
