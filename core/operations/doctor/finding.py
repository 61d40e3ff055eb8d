"""What a check found, in a line for people; and how checks are run, each within its time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import asyncpg

from core.db.bulk_copy import Connection

LOOKING = 20.0
"""Seconds that a check may take, and then the next one has its turn."""
REPAIR_FIRST = "run ticket-home doctor --repair"


class Verdict(Enum):
    OK = "ok"
    REPAIRED = "repaired"
    SKIPPED = "skipped"
    WARNING = "warning"
    """Nothing is wrong with answers; something could be better, or will be wrong one day."""
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check of the doctor found; a line for people by `str`."""

    check: str
    verdict: Verdict
    seen: str
    """What was found, as a part of a sentence: the check's name stands before it."""
    remedy: str = ""
    """What to do about it; of a repair what was done."""

    def __str__(self) -> str:
        return f"{self.check}: {self.seen}" + (f" → {self.remedy}" if self.remedy else "")


def ok(check: str, seen: str) -> Finding:
    """All is as it should be; `seen` says what was looked at."""
    return Finding(check, Verdict.OK, seen)


def warning(check: str, seen: str, remedy: str) -> Finding:
    """Nothing is wrong with answers; `remedy` says what would be better."""
    return Finding(check, Verdict.WARNING, seen, remedy)


def failed(check: str, seen: str, remedy: str) -> Finding:
    """Something is wrong; `remedy` says what to do about it, in the imperative."""
    return Finding(check, Verdict.FAILED, seen, remedy)


def skipped(check: str, seen: str) -> Finding:
    """It could not be looked at, and that is no fault of its own; `seen` says why."""
    return Finding(check, Verdict.SKIPPED, seen)


def listed(names: Sequence[str], at_most: int = 5) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(names[:at_most])
    return shown if len(names) <= at_most else f"{shown} and {len(names) - at_most} more"


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the database. `repair` rebuilds what `look` failed, and says what it did."""

    name: str
    look: Callable[[Connection], Awaitable[Finding]]
    repair: Callable[[Connection], Awaitable[str]] | None = None


async def run(check: Check, connection: Connection, *, repair: bool) -> Finding:
    """What `check` found, within its time; with `repair`, what it finds after its repair, if it failed."""
    found = await _look(check, connection)
    if not repair or check.repair is None or found.verdict is not Verdict.FAILED:
        return found
    try:
        done = await check.repair(connection)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        return replace(found, remedy=f"the repair was refused ({reason(error)}); {_ask(error)}")
    after = await _look(check, connection)
    if after.verdict is Verdict.OK:
        return Finding(check.name, Verdict.REPAIRED, found.seen, done)
    return after


async def _look(check: Check, connection: Connection) -> Finding:
    try:
        async with asyncio.timeout(LOOKING):
            return await check.look(connection)
    except TimeoutError:
        return failed(
            check.name, f"no answer within {LOOKING:.0f} s", "see what PostgreSQL is busy with, and try again"
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return failed(check.name, f"could not be looked at ({reason(error)})", _ask(error))


def reason(error: BaseException) -> str:
    """An error for people: a server's refusal in its own words, which name no secrets, else the error's kind."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.args[0] if error.args else error).splitlines()[0]
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _ask(error: BaseException) -> str:
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return "run it as the role that owns the tables"
    if isinstance(error, asyncpg.LockNotAvailableError):
        return "somebody holds a lock on the table; try again"
    return "see PostgreSQL's log, and try again"
