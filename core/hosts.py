"""Where a server's address leads, in libpq's form and in Redis's."""

from urllib.parse import parse_qs, unquote, urlsplit


def hosts_of(url: str) -> list[str]:
    """Those that it names, with their ports: machines, or folders of unix sockets. The environment may name others."""
    parts = urlsplit(url)
    named = parts.netloc.rpartition("@")[2].split(",") + parse_qs(parts.query).get("host", [""])[-1].split(",")
    return [unquote(host) for host in named if host]
