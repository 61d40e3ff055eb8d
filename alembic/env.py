"""Migrations run over asyncpg, on a connection given by core/db/schema/migrate.py, or on DATABASE_URL by hand."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from core.db.connections.engine import DIALECT, migration_engine
from core.db.models import metadata
from core.settings import Settings


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_hand() -> None:
    engine = migration_engine(Settings().require_direct_url())
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(url=f"{DIALECT}/offline", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    run(given)
else:
    asyncio.run(run_by_hand())
