"""Where a server's address leads, in libpq's form and in Redis's."""

from urllib.parse import parse_qs, unquote, urlsplit


def hosts_of(url: str) -> list[str]:
    """The hosts in an address, with their ports: machines, or folders of unix sockets. libpq's environment may add
    some."""
    parts = urlsplit(url)
    named = parts.netloc.rpartition("@")[2].split(",") + parse_qs(parts.query).get("host", [""])[-1].split(",")
    return [unquote(host) for host in named if host]
