"""A file's rows into a clinic's catalog, in the caller's transaction: all of them or none."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import insert, select, update

from core.access import Actor
from core.audit.record import AuditEntry, record_all
from core.catalogs.catalogs import CATALOGS, Catalog
from core.catalogs.imports.checking import Wanted, check
from core.catalogs.imports.file import File
from core.catalogs.imports.report import CatalogCounts, CatalogReport
from core.catalogs.models import Specialty
from core.clinics.references import lock_clinic
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession
from core.text import folded

T = TypeVar("T")
TAKEN = "Somebody changed this catalog meanwhile: run it again."
AT_ONCE = 500
"""Rows that one statement reads or writes. What goes over thousands at once goes over them in a thread: the event loop
has other requests."""


async def bring_catalog(
    session: WriteSession, actor: Actor, clinic_id: int, file: File, *, dry_run: bool = False
) -> CatalogReport:
    """What was imported, or with `dry_run` what would be; where the report has problems, nothing was or would be.

    A dry run is a run, whose rows are taken back: whatever the database would refuse, it refuses. Raises NotFound for
    a clinic that does not exist, and Conflict (`duplicate`).
    """
    # Writers of one catalog queue at its clinic's row, as in core/catalogs/references.py.
    await lock_clinic(session, clinic_id)
    there = {catalog.plural: await _there(session, clinic_id, catalog) for catalog in CATALOGS}
    found = await asyncio.to_thread(check, file, there)
    report = CatalogReport(
        problems=found.problems,
        problems_left_out=file.problems_left_out,
        ignored=file.ignored,
        hidden=file.hidden,
        encoding=file.encoding,
    )
    if not found.problems:
        undone = await session.begin_nested() if dry_run else None
        for catalog in CATALOGS:
            if catalog.plural in found.wanted:
                counts = await _write(session, actor, clinic_id, catalog, found.wanted[catalog.plural])
                report.kinds[catalog.plural] = counts
        if undone is not None:
            await undone.rollback()
    return report


async def _there(session: WriteSession, clinic_id: int, catalog: Catalog) -> list[dict[str, Any]]:
    """With the specialty's name, where rows have one."""
    table = catalog.table
    fields = [getattr(table, column.field) for column in catalog.columns]
    statement = select(table.id, *fields).where(table.clinic_id == clinic_id)
    if catalog.has_specialty:
        statement = statement.add_columns(Specialty.name.label("specialty")).outerjoin(
            Specialty, Specialty.id == table.specialty_id
        )
    statement = statement.order_by(table.id).limit(AT_ONCE)
    rows, last = list[dict[str, Any]](), 0
    while some := (await session.execute(statement.where(table.id > last))).mappings().all():
        rows += map(dict, some)
        last = rows[-1]["id"]
    return rows


async def _write(
    session: WriteSession, actor: Actor, clinic_id: int, catalog: Catalog, wanted: list[Wanted]
) -> CatalogCounts:
    specialties = await _specialty_ids(session, clinic_id) if catalog.has_specialty else {}
    new, changed = await asyncio.to_thread(_apart, wanted, specialties)
    with refused_as_duplicate(TAKEN):
        for few in _parts(changed):
            await record_all(session, actor, await _update(session, catalog, few), clinic_id=clinic_id)
        for some in _parts(new):
            await record_all(session, actor, await _insert(session, clinic_id, catalog, some), clinic_id=clinic_id)
    return CatalogCounts(len(new), len(changed), len(wanted) - len(new) - len(changed))


def _apart(
    wanted: list[Wanted], specialties: dict[str, int]
) -> tuple[list[dict[str, Any]], list[tuple[int, dict[str, list[Any]]]]]:
    """New rows, and the changes of others by id, before and after. One statement writes rows in which the same columns
    change: these come one after the other."""
    new: list[dict[str, Any]] = []
    changed: list[tuple[int, dict[str, list[Any]]]] = []
    for one in wanted:
        values, before = _stored(one.values, specialties), one.before
        if before is None:
            new.append(values)
            continue
        changes = {name: [before[name], value] for name, value in values.items() if before[name] != value}
        if changes:
            changed.append((before["id"], changes))
    changed.sort(key=lambda one: sorted(one[1]))
    return new, changed


async def _specialty_ids(session: WriteSession, clinic_id: int) -> dict[str, int]:
    rows = await session.execute(select(Specialty.name, Specialty.id).where(Specialty.clinic_id == clinic_id))
    return {folded(name): specialty_id for name, specialty_id in rows}


def _stored(values: dict[str, Any], specialties: dict[str, int]) -> dict[str, Any]:
    """By column of the table."""
    stored = dict(values)
    if "specialty" in stored:
        name = stored.pop("specialty")
        stored["specialty_id"] = None if name is None else specialties[folded(name)]
    return stored


async def _update(
    session: WriteSession, catalog: Catalog, changed: Sequence[tuple[int, dict[str, list[Any]]]]
) -> list[AuditEntry]:
    rows = [{"id": row_id, **{name: after for name, (_, after) in changes.items()}} for row_id, changes in changed]
    await session.execute(update(catalog.table), rows)
    return [AuditEntry(f"{catalog.name}.changed", catalog.name, row_id, changes) for row_id, changes in changed]


async def _insert(
    session: WriteSession, clinic_id: int, catalog: Catalog, new: Sequence[dict[str, Any]]
) -> list[AuditEntry]:
    table = catalog.table
    statement = insert(table).returning(table.id, sort_by_parameter_order=True)
    ids = (await session.execute(statement, [{"clinic_id": clinic_id} | values for values in new])).scalars().all()
    return [
        AuditEntry(
            f"{catalog.name}.created",
            catalog.name,
            made,
            {name: [None, value] for name, value in values.items() if value is not None},
        )
        for made, values in zip(ids, new, strict=True)
    ]


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
