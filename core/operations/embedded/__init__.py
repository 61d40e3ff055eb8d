"""PostgreSQL and Valkey for a machine without them, and for the tests: own processes, that end with ours."""

from core.operations.embedded.servers import CannotStart, EmbeddedServers, Running, start_servers

__all__ = ["CannotStart", "EmbeddedServers", "Running", "start_servers"]
