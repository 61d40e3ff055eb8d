"""Who a request comes from: the address, and when its client leaves."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import Receive, Scope


def address_of(scope: Scope) -> str | None:
    """The client's IP address, from its connection or as a trusted proxy tells it.

    None for what is no address: a unix socket's peer, or what a proxy says instead (`unknown`, RFC 7239's `_hidden`).
    """
    client = scope.get("client")
    return _address(client[0]) if client else None


@lru_cache(maxsize=1024)
def _address(told: str) -> str | None:
    try:
        # A zone (`%eth0`) says something to one machine alone, and is of any length.
        found = ip_address(told.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


async def until_it_leaves(receive: Receive) -> None:
    """Return once the client is gone, or nothing more of its answer is wanted."""
    while (await receive())["type"] != "http.disconnect":
        pass
