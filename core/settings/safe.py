"""What settings must be to be safe: secrets that nobody guesses, and nothing in plain text to another machine."""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from zxcvbn import zxcvbn

from core.hosts import hosts_of

LOCAL_SECRET = "local-only-not-a-secret"  # noqa: S105  refused in production, as what repeats or resembles it is
DEMO_PASSWORD = "ticket-home-demo"  # noqa: S105  refused in production with the demo itself
MINIMUM_SECRET_LENGTH = 32
SECRET_GUESSES = 1e24
"""Eighty bits: what is made by chance has more, at that length; what somebody thought of has not."""
SECRET_LOOKED_AT = 72
"""Characters of a key: zxcvbn takes no more."""
ENCRYPTED = ("require", "verify-ca", "verify-full")
"""libpq's `sslmode`. By its default, `prefer`, whoever stands between has everything sent in plain text."""
ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
EMAIL = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,189}")
"""That single sign-on knows somebody by. ASCII, as Google's are: of other letters two may become one in lower case (the
Kelvin sign is a k)."""


def flaw_of(key: str) -> str | None:
    """What is wrong with a secret key; None where nothing is. Not the key itself."""
    if len(key) < MINIMUM_SECRET_LENGTH:
        return f"SECRET_KEYS needs keys of at least {MINIMUM_SECRET_LENGTH} characters"
    if is_guessable(key):
        return "SECRET_KEYS needs keys made by chance, as `openssl rand -hex 32` makes them"
    return None


def is_guessable(key: str) -> bool:
    """Whether it was thought of, or repeats itself, and not made by chance."""
    estimate = zxcvbn(key[:SECRET_LOOKED_AT], user_inputs=[LOCAL_SECRET, DEMO_PASSWORD, "ticket-home", "redsalud"])
    return float(estimate["guesses"]) < SECRET_GUESSES


def is_safe(check: Callable[[str], bool], url: SecretStr) -> bool:
    """Whether `check` finds the address safe. What is no address is not safe, and raises nothing: urllib's own message
    would repeat it, with its password."""
    try:
        return check(url.get_secret_value())
    except ValueError:
        return False


def is_database_safe(url: str) -> bool:
    """Whether patients' data leaves this machine encrypted, or not at all."""
    given = parse_qs(urlsplit(url).query)
    return given.get("sslmode", [""])[-1] in ENCRYPTED or stays_here(url)


def is_redis(url: str) -> bool:
    """Whether it has the form of an address of Redis (core/cache/tiers/address.py)."""
    parts = urlsplit(url)
    scheme, _, cluster = parts.scheme.partition("+")
    if scheme == "unix":
        return bool(parts.path) and not cluster
    hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    whole = all(host.hostname and host.port != 0 for host in hosts)
    return scheme in ("redis", "rediss") and cluster in ("", "cluster") and whole and (bool(cluster) or len(hosts) == 1)


def is_collector(url: str) -> bool:
    """Whether traces can be sent there, and its exporter's complaints repeat no password: OTEL_EXPORTER_OTLP_HEADERS is
    for that."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc


def is_network(text: str) -> bool:
    """Whether it is an address, or a network without bits of a host, as X-Forwarded-For's trust is given to."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def is_redis_safe(url: str) -> bool:
    """Whether what is sent to Redis leaves this machine encrypted, to a server that proves who it is, or not at all."""
    scheme = urlsplit(url).scheme.removesuffix("+cluster")
    if scheme == "rediss":
        return parse_qs(urlsplit(url).query).get("ssl_cert_reqs", ["required"])[-1].lower() != "none"
    return scheme == "unix" or stays_here(url)


def is_key_set_safe(url: str) -> bool:
    """Whether what is read there comes from a server that proves who it is, or from this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here(host)))


def stays_here(url: str) -> bool:
    """Whether all hosts that it names are this machine: a unix socket, or loopback, where a proxy beside it listens.

    Where it names none the environment or a service file may.
    """
    hosts = hosts_of(url)
    return bool(hosts) and all(is_here(host) for host in hosts)


def is_here(host: str) -> bool:
    """Whether it is this machine. `host` as in an address: a name, a socket's folder, with or without a port."""
    if host.startswith("/"):
        return True
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
