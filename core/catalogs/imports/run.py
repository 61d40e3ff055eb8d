"""The command's import: a file of this machine, into the clinic of a prefix."""

import asyncio
from pathlib import Path

from core.access import Actor
from core.catalogs.imports.bring import bring_catalog
from core.catalogs.imports.report import CatalogReport
from core.catalogs.imports.sheets import read_path
from core.clinics.references import clinic_with_prefix
from core.db.transaction import Database, WriteSession

BUDGET = 120.0
"""Seconds that thousands of rows may take."""


async def import_catalog(
    database: Database, actor: Actor, prefix: str, path: Path, *, dry_run: bool = False
) -> CatalogReport:
    """The report; where it has problems, nothing was written.

    Raises NotFound for a prefix that no clinic has, NoCatalog for a file that cannot be read, OSError, Unavailable.
    """
    file = await asyncio.to_thread(read_path, path)

    async def work(session: WriteSession) -> CatalogReport:
        return await bring_catalog(session, actor, await clinic_with_prefix(session, prefix), file, dry_run=dry_run)

    return await database.write(work, budget=BUDGET)
