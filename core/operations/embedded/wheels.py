"""Where a wheel's files lie, without importing it: its wrapper is not wanted."""

from importlib.util import find_spec
from pathlib import Path


def folder_of(package: str) -> Path:
    """Where an installed package's files lie. Raises LookupError where it is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(
            f"the embedded servers are not installed ({package} is missing): install ticket-home[embedded],"
            " or set DATABASE_URL and REDIS_URL"
        )
    return Path(spec.submodule_search_locations[0])
