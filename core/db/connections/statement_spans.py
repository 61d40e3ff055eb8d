"""A span for each statement of a request, under the request's own or its fill's."""

from typing import Any

from opentelemetry.trace import SpanKind, Tracer
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from core.telemetry.spans import failed, is_for_request

LONGEST = 2000
"""Characters of a statement. It stands as in the code: what clients sent is in its parameters, which are left out."""


def trace_statements(engine: AsyncEngine, tracer: Tracer) -> None:
    """Have each statement of a request that runs on this engine leave a span, from now on."""

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def started(_c: Any, _cur: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
        context.span = None
        if not is_for_request():
            return
        operation = statement.split(maxsplit=1)[0].upper()
        attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": statement[:LONGEST],
        }
        context.span = tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def ended(_c: Any, _cur: Any, _s: str, _p: Any, context: Any, _many: bool) -> None:
        if context.span is not None:
            context.span.end()

    @event.listens_for(engine.sync_engine, "handle_error")
    def refused(error: ExceptionContext) -> None:
        span = getattr(error.execution_context, "span", None)
        if span is not None:
            failed(span, error.original_exception)
            span.end()
