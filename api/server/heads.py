"""What a request's first lines say, beyond what the parser checks: whom it asks, and how its body is framed."""

import re
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Address

from api.server.refusals import Refused, malformed

Lines = list[tuple[bytes, bytes]]
"""Names in lower case."""

# RFC 3986, 3.2.2: a name or an IPv4 address, an IPv6 address, or what follows it one day; and a port.
NAME = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
HOST = re.compile(
    rb"(?:" + NAME + rb"|\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|\[v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\])(?::[0-9]{0,5})?"
)
LONGEST_HOST = 255 + len(":65535")
"""Bytes: of a name (RFC 1035, 2.3.4), and a port."""
ABSOLUTE = re.compile(rb"https?://(?P<host>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def is_host(host: bytes) -> bool:
    """Whether it names a server: `clinic.example`, `127.0.0.1:8000`, `[::1]:8000`."""
    return len(host) <= LONGEST_HOST and _names_a_server(host)


@lru_cache(maxsize=256)
def _names_a_server(host: bytes) -> bool:
    found = HOST.fullmatch(host)
    if found is None:
        return False
    if found["ipv6"] is not None:
        try:
            IPv6Address(found["ipv6"].decode())
        except ValueError:
            return False
    return True


def target(method: bytes, url: bytes, version: str, headers: Lines) -> bytes:
    """The path and query that are asked for.

    A whole address as target names the host, whatever Host says (RFC 9112, 3.2.2): it takes its place in `headers`.
    Raises Refused.
    """
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise malformed("A request names its host in exactly one Host header.")
    if hosts and not is_host(hosts[0]):
        raise malformed("The Host header names no host.")
    if url.startswith(b"/") or (url == b"*" and method == b"OPTIONS"):
        return url
    absolute = ABSOLUTE.fullmatch(url)
    if absolute is None or not is_host(absolute["host"]):
        raise malformed("The request's target is neither a path nor an address.")
    headers[:] = [(b"host", absolute["host"]), *(line for line in headers if line[0] != b"host")]
    return absolute["rest"] if absolute["rest"].startswith(b"/") else b"/" + absolute["rest"]


def check_framing(version: str, headers: Lines) -> None:
    """Raises Refused where others could see the body end elsewhere (RFC 9112, 6.1), or where it is encoded."""
    for name, value in headers:
        if name == b"transfer-encoding" and (version == "1.0" or value.lower() != b"chunked"):
            raise malformed("A body is sent with Content-Length, or in HTTP/1.1 with Transfer-Encoding: chunked.")


def check_version(version: str) -> None:
    """Raises Refused (505) for a version of HTTP that is neither 1.0 nor 1.1."""
    if version not in ("1.0", "1.1"):
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "http_version", "HTTP/1.1 is spoken here.")


def not_a_proxy() -> Refused:
    return Refused(
        HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "This server is no proxy.", [(b"allow", METHODS)]
    )


def without_upgrade(method: bytes, url: bytes, version: str, headers: Lines) -> bytes:
    """The head once more, without its wish for another protocol."""
    lines = [b"%s %s HTTP/%s" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            value = b", ".join(t for token in value.split(b",") if (t := token.strip()).lower() != b"upgrade")
        if name != b"upgrade":
            lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join([*lines, b"", b""])
