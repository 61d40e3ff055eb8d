"""A statement's span says what was asked of PostgreSQL and what became of it, and nothing of what was sent."""

from contextlib import nullcontext
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db.connections.statement_spans import trace_statements
from core.db.transaction import Database, ReadSession
from core.telemetry.spans import spanned

TEXT = "SELECT CAST(CAST(:word AS text) AS integer)"


async def spans_of(database: Database, word: str, *, beside: bool = False) -> list[ReadableSpan]:
    """Of a read for a request, or of one beside requests."""
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    trace_statements(database.engine, tracer)

    async def work(session: ReadSession) -> None:
        await session.execute(text(TEXT), {"word": word})

    fails: Any = nullcontext() if word.isdigit() else pytest.raises(DBAPIError, match=word)
    with nullcontext() if beside else spanned(tracer, "a request", {}), fails:
        await database.read(work)
    return [span for span in exporter.get_finished_spans() if span.name != "a request"]


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


@pytest.mark.parametrize("word", ["21345678", "Zunilda"])
async def test_what_goes_on_beside_requests_leaves_none(database: Database, word: str) -> None:
    assert await spans_of(database, word, beside=True) == []
