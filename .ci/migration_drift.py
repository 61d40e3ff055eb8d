"""Fails where the models and the migrations tell different tables. On an embedded server of its own."""

import sys
import tempfile
from pathlib import Path

from alembic.util import CommandError

from core.db.schema.migrate import check, upgrade
from core.operations.embedded import start_servers


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder) / "data", durable=False, valkey=False)
        try:
            upgrade(servers.database_url)
            check(servers.database_url)
        except CommandError as drift:
            sys.exit(f"Models and migrations differ: {drift}")
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
