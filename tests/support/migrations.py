"""A schema of an older version."""

from alembic import command
from sqlalchemy import Connection

from core.db.connections.engine import migration_engine
from core.db.schema.migrate import config


async def downgrade(url: str, revision: str) -> None:
    """Bring the database back to that revision."""

    def run(connection: Connection) -> None:
        command.downgrade(config(connection), revision)

    engine = migration_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()
