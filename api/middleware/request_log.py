"""What the log says of a request, and of an error that nobody expected: ids and kinds, never patient data."""

from traceback import format_tb

from pydantic_core import to_json

from core.clock import wall_now
from core.db.failures import sqlstate
from core.telemetry.log import WRITER, logger
from core.telemetry.log_lines import LINES, write_line
from core.telemetry.trace import Trace


def facts_of(error: BaseException) -> dict[str, object]:
    """Where it happened and of what kind. Not its message: PostgreSQL's and pydantic's repeat the patient's data."""
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__
    stack = "".join(format_tb(error.__traceback__)[-8:])
    return {"error": " from ".join(kinds), "sqlstate": sqlstate(error), "stack": stack}


EVENT = {"event": "request", "level": "info"}


def facts_of_request(trace: Trace, method: str, status: int, ms: float) -> dict[str, object]:
    """The fields of the line of a request that took `ms`, from what its trace noted; the event's own are not among
    them."""
    facts: dict[str, object] = {
        "request_id": trace.request_id,
        "method": method,
        "route": trace.route,
        "status": status,
        "ms": round(ms, 2),
        "user_id": trace.user_id,
        "clinic_id": trace.clinic_id,
        "session_id": trace.session_id,
    }
    if trace.cache_outcome:
        facts["cache"] = f"{trace.cache_policy} {trace.cache_outcome} {trace.cache_tier}"
        facts["age"] = round(trace.cache_age, 1)
        facts["collapsed"] = trace.cache_collapsed
    if trace.session_age is not None:
        facts["session_age"] = round(trace.session_age, 1)
    if trace.db_queries:
        facts["queries"] = trace.db_queries
        facts["db_ms"] = round(trace.db_ms, 2)
    return facts


def write_request(facts: dict[str, object]) -> None:
    """Write the line of one request, for whoever answers one."""
    if LINES.are_json:
        # As structlog would, in a tenth of the time.
        write_line(to_json(facts | EVENT | WRITER | {"timestamp": wall_now()}) + b"\n")
    else:
        logger.info("request", **facts)
