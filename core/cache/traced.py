"""The cache with spans: each request's read, and each computation for one."""

from dataclasses import replace
from typing import Any

from opentelemetry.trace import Tracer

from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.read_through import Cache
from core.cache.versions.vector import Vector
from core.telemetry.spans import is_for_request, spanned


class TracedCache(Cache):
    """In place of Cache where traces are wanted."""

    def __init__(self, tracer: Tracer, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._tracer = tracer

    async def read(self, asked: CachedRead, *, required: Vector | None = None) -> Answer:
        if not is_for_request():
            return await super().read(asked, required=required)
        policy, of_policy = asked.policy.name, {"ticket_home.cache.policy": asked.policy.name}

        async def load(fill: Fill) -> Loaded:
            with spanned(self._tracer, f"fill {policy}", of_policy):
                return await asked.load(fill)

        with spanned(self._tracer, f"read {policy}", of_policy) as span:
            answer = await super().read(replace(asked, load=load), required=required)
            span.set_attribute("ticket_home.cache.outcome", "collapsed" if answer.collapsed else answer.outcome)
            span.set_attribute("ticket_home.cache.tier", answer.tier)
            span.set_attribute("ticket_home.cache.age", answer.age)
            return answer
