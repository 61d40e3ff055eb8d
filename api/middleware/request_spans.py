"""A span for each request, where traces are wanted: the child of the client's or proxy's `traceparent`."""

from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.telemetry.spans import Tracing, spanned
from core.telemetry.trace import current

PARENT = b"traceparent"
FROM_CLIENT = TraceContextTextMapPropagator()


class RequestSpans:
    """Within the envelope, whose trace it tells of. It reads no `tracestate` and no `baggage`: what a client writes
    there is nobody's to pass on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tracing: Tracing = scope["app"].state.runtime.tracing
        method = scope["method"]
        parents = [value.decode("latin-1") for name, value in scope["headers"] if name == PARENT]
        # Of several nobody knows which one is meant.
        context = FROM_CLIENT.extract({PARENT.decode(): parents[0]} if len(parents) == 1 else {})
        attributes = {"http.request.method": method, "network.protocol.version": scope["http_version"]}
        with spanned(tracing.tracer, method, attributes, kind=SpanKind.SERVER, context=context) as span:

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            try:
                await self._app(scope, receive, sent)
            finally:
                route = getattr(scope.get("route"), "path", None)
                span.update_name(f"{method} {route}" if route else method)
                for name, value in facts_of(route).items():
                    span.set_attribute(name, value)


def facts_of(route: str | None) -> dict[str, str | int]:
    """What is known of the request in the end, by the names of attributes."""
    trace = current()
    facts: dict[str, str | int | None] = {
        "http.route": route,
        "ticket_home.request_id": trace.request_id,
        "ticket_home.user_id": trace.user_id,
        "ticket_home.clinic_id": trace.clinic_id,
        "ticket_home.session_id": trace.session_id,
        "ticket_home.cache.policy": trace.cache_policy or None,
        "ticket_home.cache.outcome": trace.cache_outcome or None,
        "ticket_home.cache.tier": trace.cache_tier or None,
    }
    return {name: value for name, value in facts.items() if value is not None}
