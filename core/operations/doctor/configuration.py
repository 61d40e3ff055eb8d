"""The effective settings, without what is secret in them, and whether they are safe."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import SecretStr, ValidationError

from core.catalogs.catalogs import CATALOGS
from core.catalogs.thresholds import THRESHOLDS
from core.clinics.listing import CLINICS
from core.dashboard.cached import CLINIC, NETWORK
from core.operations.doctor.finding import Finding, failed, listed, ok, warning
from core.sessions.store import POLICY as SESSION
from core.settings import Settings
from core.settings.database_address import NoAddress, normalised
from core.tickets.discharge_blocks import DISCHARGE_BLOCKS

CHECK = "Settings"
MASK = "***"
WIDE = 1
"""Bits of a network so wide that it is the internet, or half of it."""
PUBLIC_PARAMETERS = frozenset(
    {"sslmode", "ssl", "host", "port", "application_name", "target_session_attrs", "db", "protocol"}
    | {"ssl_check_hostname", "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
)
"""Of what follows a `?` in an address; the value of anything else may be a password."""
POLICIES = (
    *(catalog.policy for catalog in CATALOGS),
    *(CLINIC, NETWORK, CLINICS),
)
NAMESPACES = (THRESHOLDS, DISCHARGE_BLOCKS)
"""Of routes with fastapi-cache2's plain `@cache`."""


def masked(url: str) -> str:
    """An address without its password, wherever it stands in it; all masked where it is none."""
    try:
        parts = urlsplit(url)
        if not parts.scheme or "://" not in url:
            return MASK
        login, at, hosts = parts.netloc.rpartition("@")
        user, colon, _ = login.partition(":")
        parameters = [
            (name, value if name in PUBLIC_PARAMETERS else MASK)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        query = parts.query and "?" + urlencode(parameters, safe="*/", quote_via=quote)
        fragment = parts.fragment and "#" + MASK
        # Not urlunsplit: it writes unix:///path with one slash.
        return f"{parts.scheme}://{user}{colon and ':' + MASK}{at}{hosts}{parts.path}{query}{fragment}"
    except ValueError:
        return MASK


def effective(settings: Settings) -> list[tuple[str, str, bool]]:
    """(name of the variable, its value without secrets, whether it was given) of every setting."""
    found = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        is_url = name.endswith("_url")
        found.append((field.alias or name.upper(), _shown(value, is_url=is_url), name in settings.model_fields_set))
    found += [(name, value, True) for name, value in sorted(os.environ.items()) if name.startswith("CACHE_TTL_")]
    return found


def _shown(value: Any, *, is_url: bool) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, SecretStr):
        return masked(value.get_secret_value()) if is_url else MASK
    if isinstance(value, tuple):
        return ", ".join(_shown(one, is_url=is_url) for one in value) or "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    return masked(value) if is_url else str(value) or "(none)"


def examined(settings: Settings) -> list[Finding]:
    """What is to be said of settings that the service would start with; one finding if all is well."""
    findings = [*_lives(settings), *_behind_a_proxy(settings), *_ways_in(settings)]
    given = "production" if settings.is_production else "local: not for patients' data"
    return findings or [ok(CHECK, f"valid, for {given}")]


def refused(error: ValidationError) -> list[Finding]:
    """One for each setting that the service refuses, by its variable's name. Not the values: they may be secrets."""
    remedy = "correct it in the environment; the service does not start"
    found = []
    for one in error.errors(include_input=False, include_context=False, include_url=False):
        name = str(one["loc"][0]) if one["loc"] else ""
        field = Settings.model_fields.get(name)
        variable = field.alias if field is not None and field.alias else name
        message = one["msg"].removeprefix("Value error, ")
        found.append(failed(CHECK, f"{variable}: {message}" if variable else message, remedy))
    return found


@dataclass(frozen=True, slots=True)
class Addresses:
    """By which servers are reached, and what of the settings their checks need. None: not configured."""

    database_url: str | None
    listen_url: str | None
    redis_url: str | None
    cache_prefix: str = ""
    pool_size: int = 10
    push: bool = True
    is_production: bool = False
    keys_url: str | None = None
    """None where nobody signs in by IAP."""

    @classmethod
    def of(cls, settings: Settings) -> "Addresses":
        """Those that the service itself would use."""
        urls = (settings.database_url, settings.database_listen_url, settings.redis_url)
        database, listen, redis = (None if url is None else url.get_secret_value() for url in urls)
        return cls(
            database,
            listen,
            redis,
            cache_prefix=settings.cache_prefix,
            pool_size=settings.database_pool_size,
            push=settings.cache_push,
            is_production=settings.is_production,
            keys_url=settings.iap_keys_url if settings.iap_audience else None,
        )

    @classmethod
    def around(cls, environment: Mapping[str, str]) -> "Addresses":
        """Where the settings are refused: servers can be looked at all the same."""
        names = ("DATABASE_URL", "DATABASE_LISTEN_URL", "REDIS_URL")
        database, listen, redis = (environment.get(name) or None for name in names)
        database, listen = (_as_settings_would(url) for url in (database, listen))
        return cls(database, listen, redis, is_production=environment.get("TICKET_HOME_ENV") == "production")


def _as_settings_would(url: str | None) -> str | None:
    try:
        return None if url is None else normalised(url)
    except NoAddress:
        return url  # which leads nowhere, and is reported


def _lives(settings: Settings) -> Sequence[Finding]:
    try:
        named = settings.cache_ttls
    except ValueError as error:
        # Ours name the variable; float()'s own do not.
        seen = str(error) if str(error).startswith("CACHE_TTL_") else "a CACHE_TTL_… is not a number"
        return [failed(CHECK, seen, "seconds, such as CACHE_TTL_DASHBOARD=300; the service does not start")]
    known = {policy.name for policy in POLICIES} | {name.rpartition(":")[2] for name in NAMESPACES} | {SESSION}
    unknown = sorted(f"CACHE_TTL_{name.upper()}" for name in named.keys() - known)
    if not unknown:
        return []
    could = ", ".join(sorted(name.upper() for name in known))
    return [warning(CHECK, f"{listed(unknown)}: nothing has this name", f"it is one of {could}")]


def _behind_a_proxy(settings: Settings) -> Sequence[Finding]:
    everybody = [one for one in settings.trusted_proxies if is_everybody(one)]
    found = []
    if everybody:
        seen = (
            f"TRUSTED_PROXIES={listed(everybody)}: whoever gets through to the service may say which address it has,"
            " and the audit and the limit of failed sign-ins believe that"
        )
        found.append(warning(CHECK, seen, "name the proxy's own addresses or networks, such as 10.0.0.0/8"))
    if settings.is_production and not settings.trusted_proxies:
        seen = (
            "TRUSTED_PROXIES is empty: whoever ends TLS in front of the service counts as the only client, in the audit"
            " and in the limit of failed sign-ins"
        )
        found.append(warning(CHECK, seen, "name the proxy's addresses"))
    return found


def is_everybody(proxy: str) -> bool:
    """Whether a trusted proxy's address stands for the whole internet, or for half of it."""
    return proxy == "*" or ip_network(proxy).prefixlen <= WIDE


def _ways_in(settings: Settings) -> Sequence[Finding]:
    if settings.iap_audience:
        return []
    found = []
    if not settings.password_login:
        seen = "PASSWORD_LOGIN=off without IAP_AUDIENCE: no browser signs in here, only mobile and display clients do"
        found.append(warning(CHECK, seen, "set IAP_AUDIENCE, unless browsers are sent to another service"))
    if settings.superuser_emails:
        seen = "SUPERUSER_EMAILS without IAP_AUDIENCE: nobody is made by them, for nobody signs in by IAP"
        found.append(warning(CHECK, seen, "set IAP_AUDIENCE, or take them away"))
    return found
