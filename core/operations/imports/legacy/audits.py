"""The audits: append-only here, so each row says which one of the old application it was, and is found again by it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from core.db.bulk_copy import copy
from core.operations.imports.legacy.behind import Behind
from core.operations.imports.legacy.context import Run
from core.operations.imports.legacy.values import UNKNOWN, instant_utc, text, whole, word

LOGIN_COLUMNS = ["at", "user_id", "username", "clinic_id", "succeeded", "outcome", "client", "ip", "request_id"]
ACTION_COLUMNS = [
    *("at", "user_id", "username", "clinic_id", "action", "target_type", "target_id", "changes", "request_id"),
]
LONGEST = {"username": 80, "action": 60, "target_type": 40, "target_id": 60}
KINDS = {"standardized_reason": "reason", "standardizedreason": "reason", "app_user": "user"}
"""Targets that are called otherwise here."""
Make = Callable[[asyncpg.Record, datetime], Sequence[Any]]


async def bring_logins(run: Run) -> None:
    """Sign-ins, of which the old application wrote down only those that succeeded. Counts go to `run.report`."""

    def made(row: asyncpg.Record, at: datetime) -> Sequence[Any]:
        clinic = run.clinics.get(row["clinic_id"])
        ip = text(row["ip_address"])
        return (
            *(at, run.users.get(row["user_id"]), _username(run, row, 254), clinic.id if clinic else None),
            *(True, "succeeded", "web", ip if ip is None or len(ip) <= 45 else None, _provenance("login_audit", row)),
        )

    await _bring(run, "login_audit", LOGIN_COLUMNS, made)


async def bring_actions(run: Run) -> None:
    """The action audit. There, before and after stand in the action's text; what is too long for it goes to
    `changes`."""

    def made(row: asyncpg.Record, at: datetime) -> Sequence[Any]:
        target_type, target_id = _target(run, row)
        texts = {
            "username": text(row["username"]) or run.usernames.get(row["user_id"]) or UNKNOWN,
            "action": text(row["action"]) or UNKNOWN,
            "target_type": target_type,
            "target_id": target_id,
        }
        cut = {name: _cut(written, LONGEST[name]) for name, written in texts.items()}
        whole = {name: [None, written] for name, written in texts.items() if cut[name] != written}
        return (
            *(at, run.users.get(row["user_id"]), cut["username"], _clinic(run, row), cut["action"]),
            *(cut["target_type"], cut["target_id"], json.dumps(whole, ensure_ascii=False)),
            _provenance("action_audit", row),
        )

    await _bring(run, "action_audit", ACTION_COLUMNS, made)


def _cut(written: str, most: int) -> str:
    """The text, cut to the column's length with an ellipsis at its end; the whole is in `changes`."""
    return written if len(written) <= most else f"{written[: most - 1].rstrip()}…"


def _clinic(run: Run, row: asyncpg.Record) -> int | None:
    """A superuser had no clinic there: what one did belongs to the clinic of its target."""
    kind, written = _kind(row), text(row["target_id"]) or ""
    if kind == "ticket" and written in run.ticket_clinics:
        return run.ticket_clinics[written]
    own = run.clinics.get(row["clinic_id"])
    if own is not None:
        return own.id
    number = whole(written)
    return None if number is None else _clinic_of(run, kind, number)


def _clinic_of(run: Run, kind: str, legacy_id: int) -> int | None:
    if kind == "clinic":
        return found.id if (found := run.clinics.get(legacy_id)) else None
    if kind == "surgery":
        return surgery.clinic_id if (surgery := run.surgeries.get(legacy_id)) else None
    if kind in ("specialty", "doctor"):
        rows = run.specialties if kind == "specialty" else run.doctors
        return rows[legacy_id][0] if legacy_id in rows else None
    if kind == "patient":
        return run.patient_homes.get(legacy_id)
    return {"user": run.user_clinics, "reason": run.reason_clinics}.get(kind, {}).get(legacy_id)


async def _bring(run: Run, table: str, columns: list[str], make: Make) -> None:
    counts = run.report.of(table)
    find = await _finder(run, table)
    before: datetime | None = None
    query = f"SELECT * FROM {run.source.table(table)} AS t ORDER BY id"  # noqa: S608  names of ours
    async with Behind() as behind:
        async for batch in run.source.batches(query):
            counts.read += len(batch)
            timed = []
            for row in batch:
                before = instant_utc(row["timestamp"]) or before
                if before is None:
                    run.report.refused(table, row["id"], "without a time")
                else:
                    timed.append((row, before))
            rows = await asyncio.to_thread(lambda pairs: [make(*pair) for pair in pairs], timed)
            await behind.wait()
            there = await find([row[0] for row in rows], [row[-1] for row in rows])
            new = []
            for made, (row, _) in zip(rows, timed, strict=True):
                if made[-1] in there:
                    counts.present += 1
                    continue
                if table == "action_audit" and _kind(row) == "ticket" and text(row["target_id"]) in run.tickets_apart:
                    run.report.refused(table, row["id"], "its ticket changed on both sides, and stays as it is here")
                    continue
                new.append(made)
                if instant_utc(row["timestamp"]) is None:
                    run.report.repaired(table, row["id"], "without a time: that of the one before")
            counts.imported += len(new)
            behind.start(copy(run.target, table, columns, new))
            run.advance(len(batch))


async def _finder(run: Run, table: str) -> Callable[[list[datetime], list[str]], Awaitable[set[str]]]:
    """Which of these were imported before; a target without any is not asked."""
    some = await run.target.fetchval(
        f"SELECT EXISTS (SELECT FROM {table} WHERE request_id LIKE $1)",  # noqa: S608
        f"legacy/{table}/%",
    )

    async def find(times: list[datetime], known: list[str]) -> set[str]:
        if not some:
            return set()
        rows = await run.target.fetch(
            f"SELECT a.request_id FROM {table} a"  # noqa: S608
            " JOIN unnest($1::timestamptz[], $2::text[]) AS w (at, request_id) USING (at, request_id)",
            times,
            known,
        )
        return {row["request_id"] for row in rows}

    return find


def _provenance(table: str, row: asyncpg.Record) -> str:
    """In place of the request's id: which row of the old application it was."""
    return f"legacy/{table}/{row['id']}"


def _username(run: Run, row: asyncpg.Record, most: int) -> str:
    return (text(row["username"]) or run.usernames.get(row["user_id"]) or UNKNOWN)[:most]


def _target(run: Run, row: asyncpg.Record) -> tuple[str, str]:
    """Ids of the old application mean other rows here: they are translated, or marked as what they are."""
    kind = _kind(row)
    written = text(row["target_id"])
    if written is None:
        return kind or UNKNOWN, UNKNOWN
    if kind == "ticket":
        return kind, run.renamed.get(written, written)
    number = whole(written)
    found = None if number is None else _here(run, kind, number, _clinic(run, row))
    return kind or UNKNOWN, str(found) if found is not None else f"legacy {written}"


def _kind(row: asyncpg.Record) -> str:
    """As it is called here."""
    kind = word(row["target_type"])
    return KINDS.get(kind, kind)


def _here(run: Run, kind: str, legacy_id: int, clinic_id: int | None) -> int | None:
    if kind == "user":
        return run.users.get(legacy_id)
    if kind == "clinic":
        return found.id if (found := run.clinics.get(legacy_id)) else None
    if kind == "surgery":
        return surgery.id if (surgery := run.surgeries.get(legacy_id)) else None
    if kind == "specialty":
        return run.specialties.get(legacy_id, (0, None))[1]
    if kind == "doctor":
        return run.doctors.get(legacy_id, (0, None))[1]
    if kind == "reason":
        return run.reasons.get(legacy_id)
    if kind == "patient" and clinic_id is not None:
        return run.patients.get((legacy_id, clinic_id))
    return None
