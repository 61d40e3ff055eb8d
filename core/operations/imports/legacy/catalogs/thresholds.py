"""Urgency thresholds: a clinic's own, and the global ones where nobody has changed them here."""

import asyncpg

from core.operations.imports.legacy.context import Run
from core.operations.imports.legacy.values import instant_utc, whole
from core.tickets.state import Thresholds

TABLE = "urgency_threshold"
MOST = 72


async def bring_thresholds(run: Run) -> None:
    """Each clinic's own thresholds, the newest row of it, and the global ones where nobody has changed them here.
    Counts and findings go to `run.report`."""
    rows = await run.source.connection.fetch(
        f"SELECT * FROM {run.source.table(TABLE)} AS t ORDER BY updated_at DESC NULLS LAST, id DESC"  # noqa: S608
    )
    there = {row["clinic_id"]: _hours(row) for row in await run.target.fetch("SELECT * FROM urgency_threshold")}
    done: set[int | None] = set()
    for row in rows:
        run.report.of(TABLE).read += 1
        await _bring(run, row, there, done)
    run.advance(len(rows))


def _hours(row: asyncpg.Record) -> tuple[int, int, int]:
    return row["red_hours"], row["yellow_hours"], row["green_hours"]


async def _bring(
    run: Run, row: asyncpg.Record, there: dict[int | None, tuple[int, int, int]], done: set[int | None]
) -> None:
    report = run.report
    clinic = run.clinics.get(row["clinic_id"])
    if clinic is None and row["clinic_id"] is not None:
        report.refused(TABLE, row["id"], "of no clinic")
        return
    clinic_id = clinic.id if clinic else None
    red, yellow, green = (whole(row[f"{colour}_threshold_hours"]) for colour in ("red", "yellow", "green"))
    if red is None or yellow is None or green is None or not 1 <= red < yellow < green <= MOST:
        report.refused(TABLE, row["id"], "not 1 ≤ red < yellow < green ≤ 72: the global ones hold")
        return
    if clinic_id in done:
        report.refused(TABLE, row["id"], "a clinic's older ones: the latest hold")
        return
    done.add(clinic_id)
    hours, found = (red, yellow, green), there.get(clinic_id)
    defaults = Thresholds()
    at, by = instant_utc(row["updated_at"]) or instant_utc(row["created_at"]), run.user(row["updated_by"])[0]
    set_at_by = (at, by and by[:80])
    if found == hours:
        report.of(TABLE).present += 1
        # Of an import that did not keep who set them, or of the ones that hold from the beginning.
        await run.target.execute(
            "UPDATE urgency_threshold SET updated_at = $2::timestamptz, updated_by = $3"
            " WHERE clinic_id IS NOT DISTINCT FROM $1 AND updated_at IS NULL AND $2::timestamptz IS NOT NULL",
            *(clinic_id, *set_at_by),
        )
    elif found is None:
        await run.target.execute(
            "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours, updated_at, updated_by)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            *(clinic_id, *hours, *set_at_by),
        )
        report.of(TABLE).imported += 1
    elif clinic_id is None and found == (defaults.red_hours, defaults.yellow_hours, defaults.green_hours):
        await run.target.execute(
            "UPDATE urgency_threshold SET red_hours = $1, yellow_hours = $2, green_hours = $3, updated_at = $4,"
            " updated_by = $5 WHERE clinic_id IS NULL",
            *(*hours, *set_at_by),
        )
        report.of(TABLE).imported += 1
    else:
        report.refused(TABLE, row["id"], "others hold here: left as they are here")
