"""Reading, checking, and writing in one transaction."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from core.access import Actor
from core.audit.record import AuditEntry, record_all
from core.catalogs.catalogs import CATALOGS, Catalog
from core.catalogs.models import Specialty
from core.clinics.references import clinic_with_prefix
from core.db.failures import refused_as_duplicate
from core.db.transaction import Database, WriteSession
from core.operations.imports.catalog.checking import Wanted, check
from core.operations.imports.catalog.report import CatalogCounts, CatalogReport
from core.operations.imports.catalog.sheets import File, read_file
from core.text import folded

BUDGET = 120.0
"""Seconds that thousands of rows may take."""
TAKEN = "Somebody changed this catalog meanwhile: run it again."


async def import_catalog(database: Database, actor: Actor, prefix: str, path: Path) -> CatalogReport:
    """The report; where it has problems, nothing was written.

    Raises NotFound for a prefix that no clinic has, NoCatalog for a file that cannot be read, OSError, Unavailable.
    """
    file = await asyncio.to_thread(read_file, path)

    async def work(session: WriteSession) -> CatalogReport:
        return await _bring(session, actor, prefix, file)

    return await database.write(work, budget=BUDGET)


async def _bring(session: WriteSession, actor: Actor, prefix: str, file: File) -> CatalogReport:
    # Writers of one catalog queue at its clinic's row, as in core/catalogs/references.py.
    clinic_id = await clinic_with_prefix(session, prefix, locked=True)
    found = check(file, {catalog.plural: await _there(session, clinic_id, catalog) for catalog in CATALOGS})
    report = CatalogReport(problems=found.problems, ignored=file.ignored, hidden=file.hidden)
    if not found.problems:
        for catalog in CATALOGS:
            if catalog.plural in found.wanted:
                counts = await _write(session, actor, clinic_id, catalog, found.wanted[catalog.plural])
                report.kinds[catalog.plural] = counts
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
    return [dict(row) for row in (await session.execute(statement.order_by(table.id))).mappings()]


async def _write(
    session: WriteSession, actor: Actor, clinic_id: int, catalog: Catalog, wanted: list[Wanted]
) -> CatalogCounts:
    specialties = await _specialty_ids(session, clinic_id) if catalog.has_specialty else {}
    counts, entries = CatalogCounts(), []
    new: list[dict[str, Any]] = []
    for one in wanted:
        values = _stored(one.values, specialties)
        if one.before is None:
            new.append(values)
            continue
        changes = {name: [one.before[name], value] for name, value in values.items() if one.before[name] != value}
        if not changes:
            counts.unchanged += 1
            continue
        table = catalog.table
        changed = update(table).where(table.id == one.before["id"]).values({name: values[name] for name in changes})
        with refused_as_duplicate(TAKEN):
            await session.execute(changed, execution_options={"synchronize_session": False})
        entries.append(AuditEntry(f"{catalog.name}.changed", catalog.name, one.before["id"], changes))
        counts.updated += 1
    entries += await _insert(session, clinic_id, catalog, new)
    counts.created = len(new)
    if entries:
        await record_all(session, actor, entries, clinic_id=clinic_id)
    return counts


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


async def _insert(
    session: WriteSession, clinic_id: int, catalog: Catalog, new: list[dict[str, Any]]
) -> list[AuditEntry]:
    if not new:
        return []
    table = catalog.table
    statement = insert(table).returning(table.id, sort_by_parameter_order=True)
    with refused_as_duplicate(TAKEN):
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
