"""A statement's span says what was asked of PostgreSQL and what became of it, and nothing of what was sent."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db.connections.statement_spans import trace_statements
from core.db.transaction import Database, ReadSession

TEXT = "SELECT CAST(CAST(:word AS text) AS integer)"


async def spans_of(database: Database, word: str) -> tuple[ReadableSpan, ...]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_statements(database.engine, provider.get_tracer("test"))

    async def work(session: ReadSession) -> None:
        await session.execute(text(TEXT), {"word": word})

    if word.isdigit():
        await database.read(work)
    else:
        with pytest.raises(DBAPIError, match=word):
            await database.read(work)
    return exporter.get_finished_spans()


async def test_a_statement_is_a_span_without_its_parameters(database: Database) -> None:
    [span] = await spans_of(database, "21345678")
    assert (span.name, span.status.status_code) == ("SELECT", StatusCode.UNSET)
    assert span.attributes is not None
    assert str(span.attributes["db.query.text"]).startswith("SELECT CAST(CAST($1")
    assert "21345678" not in span.to_json()


async def test_a_refused_one_is_told_by_its_kind(database: Database) -> None:
    """PostgreSQL's own message repeats what was sent."""
    [span] = await spans_of(database, "Zunilda")
    assert span.attributes is not None
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "22P02")
    assert "Zunilda" not in span.to_json()
