"""`bring`: a file into the first clinic, as the command brings it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from api.cli.actor import OPERATOR
from core.catalogs.imports.report import CatalogReport
from core.catalogs.imports.run import import_catalog
from core.db.transaction import Database
from tests.factories.fixtures import Seed
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

Bring = Callable[[Path], Awaitable[CatalogReport]]


@pytest.fixture
def bring(database: Database, seed: Seed) -> Bring:
    """`await bring(Path("catalog.xlsx"))` imports it into the first clinic."""

    async def run(path: Path) -> CatalogReport:
        return await import_catalog(database, OPERATOR, seed.sant.prefix, path)

    return run
