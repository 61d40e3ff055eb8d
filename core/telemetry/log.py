"""Structured logs: an event is a constant string, facts are fields. Ids only, never patient data."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

import structlog

from core.telemetry.log_lines import LINES

logger: Any = structlog.get_logger("ticket-home")

FIRST = 10
"""Lines of one event in a minute that are written; the next minute's first one says how many were not."""
MINUTE = 60.0
EVENTS = 1000
"""Events whose lines are counted one by one. Ours are constants; what a library logs may not be."""
UNBOUNDED = frozenset({"request"})
"""One line for each request is what operators count on."""
WRITER: dict[str, object] = {}
"""Which process writes, in each line for machines: `release`, `replica` and `worker`, its process id."""


def _add_writer(_logger: Any, _method: str, event: Any) -> Any:
    """structlog's processor."""
    return event | WRITER


class RateLimit:
    """`most` lines of one event in a minute: whatever repeats itself, a night long or a thousand times a second, must
    not fill a disk. As structlog's processor it counts our own events, as a filter those of standard logging."""

    def __init__(self, most: int = FIRST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._minutes: dict[str, tuple[float, int]] = {}
        """Event → (when its minute began, lines in it)."""

    def count(self, event: str) -> tuple[bool, int]:
        """(whether this line is written, how many were not since the last one was)."""
        now = self._clock()
        began, lines = self._minutes.get(event, (now, 0))
        unsaid = 0
        if now - began >= MINUTE:
            began, lines, unsaid = now, 0, max(0, lines - self._most)
        if len(self._minutes) >= EVENTS and event not in self._minutes:
            self._minutes.clear()
        self._minutes[event] = (began, lines + 1)
        return lines < self._most, unsaid

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        """structlog's processor."""
        if event["event"] not in UNBOUNDED:
            written, unsaid = self.count(event["event"])
            if not written:
                raise structlog.DropEvent
            if unsaid:
                event["unsaid"] = unsaid
        return event

    def filter(self, record: logging.LogRecord) -> bool:
        """Standard logging's filter: by the message as it stands in the code, without what is filled in."""
        written, unsaid = self.count(f"{record.name}: {record.msg}")
        if unsaid:
            record.msg = f"{record.msg} (and {unsaid} more since)"
        return written


_once_a_minute = RateLimit(most=1)


def warn_seldom(event: str, kind: str = "", **facts: object) -> None:
    """A warning that clients can bring about as often as they like: one line a minute for each `kind` of the event,
    with how many `times` it came since the last one."""
    is_written, unsaid = _once_a_minute.count(f"{event} {kind}")
    if is_written:
        logger.warning(event, times=unsaid + 1, **facts)


def configure(
    log_format: Literal["json", "console"],
    *,
    level: int = logging.INFO,
    served: Mapping[str, str] | None = None,
    to: TextIO | None = None,
) -> None:
    """Have every event written as a line, standard logging's included: on standard output, or `to` a stream. Once per
    process, at its start. `served`: the release and replica that JSON's lines name, beside the process."""
    stream = to or sys.stdout
    LINES.are_json = log_format == "json"
    WRITER.clear()
    if LINES.are_json:
        WRITER.update(served or {}, worker=os.getpid())
    limit = RateLimit()
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _add_writer,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = (
        structlog.processors.JSONRenderer(separators=(",", ":"))
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[limit, *before, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(to),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    handler.addFilter(limit)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
