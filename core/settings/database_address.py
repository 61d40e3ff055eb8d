"""A database's address as people write it, in the one form that all who connect take: settings read it once.

    postgresql://user:password@host:5432,other:5432/name?sslmode=verify-full&sslrootcert=/etc/ca.pem

What libpq's manual lists is taken where asyncpg does it, or where it makes no difference to this service; the rest is
refused by name, and never left out silently: half of it protects something.
"""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SCHEMES = frozenset({"postgresql", "postgres"})
SUCH_AS = "such as postgresql://user:password@host:5432/name"
SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
TLS_VERSIONS = frozenset({"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
PORTS = range(1, 65536)

Accepts = Callable[[str], bool]
"""Whether a parameter may have that value."""


class NoAddress(ValueError):
    """An address that is not understood. Its message is for people, and repeats no value: one may be a password."""


def one_of(*values: str) -> Accepts:
    """Accepts these values, and no others."""
    return frozenset(values).__contains__


def is_number(value: str) -> bool:
    return value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()


KEPT: Mapping[str, tuple[Accepts, str]] = {
    "passfile": (bool, "a file"),
    "service": (bool, "a service's name"),
    "options": (bool, "such as -c search_path=name"),
    "sslmode": (SSL_MODES.__contains__, f"one of {', '.join(sorted(SSL_MODES))}"),
    "sslnegotiation": (one_of("postgres", "direct"), "postgres or direct"),
    "sslcert": (bool, "a file"),
    "sslkey": (lambda value: bool(value) and not value.startswith("pkcs11:"), "a file"),
    "sslpassword": (lambda _: True, "a password"),
    "sslrootcert": (
        lambda value: value not in ("", "system"),
        "a file; in place of `system` name the system's, such as /etc/ssl/certs/ca-certificates.crt",
    ),
    "sslcrl": (bool, "a file"),
    "ssl_min_protocol_version": (TLS_VERSIONS.__contains__, "such as TLSv1.2"),
    "ssl_max_protocol_version": (TLS_VERSIONS.__contains__, "such as TLSv1.3"),
    "krbsrvname": (bool, "a name"),
    "gsslib": (one_of("gssapi"), "gssapi"),
}
"""What asyncpg does: (whether it can be that, what it can be)."""
WITHOUT_EFFECT: Mapping[str, tuple[Accepts, str]] = {
    # The service has time limits of its own for connecting and for each statement, and its own name for each of its
    # connections; asyncpg speaks UTF-8, without GSS encryption, in version 3.0 of the protocol.
    "connect_timeout": (is_number, "a number of seconds"),
    "keepalives": (is_number, "a number"),
    "keepalives_idle": (is_number, "a number of seconds"),
    "keepalives_interval": (is_number, "a number of seconds"),
    "keepalives_count": (is_number, "a number"),
    "tcp_user_timeout": (is_number, "a number of milliseconds"),
    "application_name": (lambda _: True, "a name"),
    "fallback_application_name": (lambda _: True, "a name"),
    "client_encoding": (lambda value: value.upper() in ("UTF8", "UTF-8", "UNICODE", "AUTO"), "utf8"),
    "gssencmode": (one_of("disable", "prefer"), "disable or prefer: the service encrypts by TLS alone"),
    "gssdelegation": (one_of("0"), "0"),
    "channel_binding": (
        one_of("disable", "prefer"),
        "disable or prefer; in place of `require` take sslmode=verify-full: then no other server can stand in",
    ),
    "sslcompression": (one_of("0", "1"), "0 or 1"),
    "sslsni": (one_of("1"), "1"),
    "sslcertmode": (one_of("allow"), "allow"),
    # Whichever host is asked, only the primary is taken, and it is looked for at all of them.
    "load_balance_hosts": (one_of("disable", "random"), "disable or random"),
    "min_protocol_version": (one_of("3.0"), "3.0"),
    "max_protocol_version": (one_of("3.0", "3.2", "latest"), "3.0, 3.2 or latest"),
    "replication": (one_of("false", "off", "no", "0"), "false"),
}
"""What is taken, and changes nothing here."""
PRIMARY = one_of("any", "read-write", "primary")
ANY_SERVER = one_of("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
REFUSED: Mapping[str, str] = {
    "hostaddr": "write the address as the host",
    "require_auth": "the server's pg_hba.conf decides that",
    "requirepeer": "the socket's folder decides that: see its permissions",
    "sslcrldir": "name one file as sslcrl",
    "sslkeylogfile": "it would write down what TLS protects",
    "servicefile": "name it in the environment, as PGSERVICEFILE",
    "scram_client_key": "give the password",
    "scram_server_key": "give the password",
    **dict.fromkeys(
        ("oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope"), "give a user and a password"
    ),
}
"""What libpq can and this service cannot, with what to do."""


def normalised(url: str, *, only_primary: bool = True) -> str:
    """The address in libpq's form, as asyncpg takes it. `only_primary`: a standby will not do.

    Raises NoAddress for what is not understood.
    """
    if "\0" in unquote(url):
        raise NoAddress("no address has a zero byte in it")
    scheme, separator, _ = url.partition("://")
    dialect = scheme.partition("+")[0].lower()
    if not separator or dialect not in SCHEMES:
        raise NoAddress(f"an address of PostgreSQL is needed, {SUCH_AS}")
    try:
        parts = urlsplit(f"postgresql://{url.partition('://')[2]}")
    except ValueError:
        raise NoAddress("an IPv6 address stands in brackets, such as [::1]:5432") from None
    if parts.fragment or "#" in url:
        raise NoAddress("write a # in a name or a password as %23")
    given = dict(parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True))
    login, _, named = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    user = given.pop("user", unquote(user))
    password = given.pop("password", unquote(password))
    name = given.pop("dbname", given.pop("database", unquote(parts.path.removeprefix("/"))))
    hosts = _hosts(named, given.pop("host", None), given.pop("port", None))
    parameters = _parameters(given, only_primary=only_primary)
    return _written(user, password, hosts, name, parameters)


def _hosts(named: str, host: str | None, port: str | None) -> list[tuple[str, str]]:
    """(host, or a socket's folder; port or "") in the order given. A parameter stands over what stands before."""
    if host is None:
        hosts = [_parted(one) for one in named.split(",")] if named else []
    else:
        hosts = [(one, "") for one in host.split(",")]
    if port is not None:
        ports = port.split(",")
        if len(ports) == 1:
            ports *= max(1, len(hosts))
        if len(ports) != max(1, len(hosts)):
            raise NoAddress("there are as many ports as hosts, or one for all")
        hosts = [(one, of) for (one, _), of in zip(hosts or [("", "")], ports, strict=True)]
    if len(hosts) > 1 and not all(one for one, _ in hosts):
        raise NoAddress("a host has no name")
    for _, of in hosts:
        if of and not (of.isascii() and of.isdigit() and int(of) in PORTS):
            raise NoAddress("a port is a number from 1 to 65535")
    return hosts


def _parted(host: str) -> tuple[str, str]:
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise NoAddress("an IPv6 address stands in brackets, such as [::1]:5432")
        return unquote(name), unquote(port.removeprefix(":"))
    name, _, port = host.partition(":")
    return unquote(name), unquote(port)


def _parameters(given: dict[str, str], *, only_primary: bool) -> dict[str, str]:
    # Of JDBC, which libpq understands; and of SQLAlchemy with asyncpg.
    for old, modes in (("ssl", {"true": "require"}), ("requiressl", {"1": "require", "0": "prefer"})):
        if old in given:
            mode = given.pop(old)
            given.setdefault("sslmode", modes.get(mode, mode))
    kept = {name: value for name, value in given.items() if _is_kept(name, value, only_primary=only_primary)}
    if kept.get("sslnegotiation") == "direct" and kept.get("sslmode") not in ("require", "verify-ca", "verify-full"):
        raise NoAddress("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    return kept


def _is_kept(name: str, value: str, *, only_primary: bool) -> bool:
    """False for what has no effect. Raises NoAddress for what is not taken."""
    if name == "target_session_attrs":
        if not (PRIMARY if only_primary else ANY_SERVER)(value):
            raise NoAddress(f"{name} can be any, read-write or primary: nothing is read from a standby")
        return not only_primary
    if name in REFUSED:
        raise NoAddress(f"{name} is not possible here: {REFUSED[name]}")
    if name not in KEPT and name not in WITHOUT_EFFECT:
        raise NoAddress(f"there is no parameter {_quoted(name)}: PostgreSQL's manual lists them, at libpq")
    check, could = KEPT.get(name) or WITHOUT_EFFECT[name]
    if not check(value):
        raise NoAddress(f"{name} can be {could}")
    return name in KEPT


def _quoted(name: str) -> str:
    return repr(name[:40])


def _written(user: str, password: str, hosts: list[tuple[str, str]], name: str, parameters: dict[str, str]) -> str:
    given = dict(parameters)
    named = ""
    if any(host.startswith("/") or not host for host, _ in hosts):
        # A socket's folder is no name: these stand behind the ?, where every reader looks for them.
        if any(host for host, _ in hosts):
            given["host"] = ",".join(host for host, _ in hosts)
        if any(port for _, port in hosts):
            given["port"] = ",".join(port or "5432" for _, port in hosts)
    else:
        named = ",".join(_named(host) + (port and f":{port}") for host, port in hosts)
    login = quote(user, safe="") + (password and ":" + quote(password, safe=""))
    query = "&".join(f"{key}={quote(value, safe='/,')}" for key, value in given.items())
    return f"postgresql://{login}{login and '@'}{named}/{quote(name, safe='')}{query and '?' + query}"


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else quote(host, safe="")
