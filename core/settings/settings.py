"""One frozen Settings: every environment variable the service reads, with its unit and default."""

import os
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from socket import gethostname
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.settings import traces
from core.settings.kinds import Audiences, Database, Emails, Keys, KeySet, Limit, Origins, Proxies, Redis
from core.settings.safe import (
    DEMO_PASSWORD,
    LOCAL_SECRET,
    flaw_of,
    is_database_safe,
    is_redis_safe,
    is_safe,
)

PACKAGE = "ticket-home"
DAY = 24 * 3600
"""Seconds. Nothing that is waited for by the second waits longer: `inf`, and what no clock counts, is a mistake."""
DEMO_DOMAIN = "ticket-home.example"
"""Of the demo's email addresses."""


class Settings(BaseSettings):
    """Read from the environment only; empty values count as absent. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    env: Literal["local", "production"] = Field("local", alias="TICKET_HOME_ENV")
    data_dir: Path = Field(
        Path(".data"), alias="TICKET_HOME_DATA_DIR", description="embedded servers and local secrets"
    )
    demo_password: SecretStr = Field(SecretStr(DEMO_PASSWORD), alias="TICKET_HOME_DEMO_PASSWORD")

    database_url: Database | None = Field(
        None, alias="DATABASE_URL", description="postgresql://…?sslmode=verify-full; absent: embedded"
    )
    database_listen_url: Database | None = Field(
        None, alias="DATABASE_LISTEN_URL", description="past a transaction pooler that DATABASE_URL leads to"
    )
    database_pool_size: int = Field(10, alias="DATABASE_POOL_SIZE", ge=1, le=200)
    redis_url: Redis | None = Field(
        None,
        alias="REDIS_URL",
        description="redis://, rediss://, unix://, redis+cluster://host:port,host:port; absent: embedded."
        " TLS with a private CA: rediss://…?ssl_ca_certs=/path/ca.pem (core/cache/tiers/address.py has all of it)",
    )

    secret_keys: Keys = Field(
        (SecretStr(LOCAL_SECRET),), alias="SECRET_KEYS", description="comma-separated; the first signs, all verify"
    )
    trusted_proxies: Proxies = Field(
        (), alias="TRUSTED_PROXIES", description="addresses and networks whose X-Forwarded-For counts; *: anybody's"
    )
    allowed_origins: Origins = Field((), alias="ALLOWED_ORIGINS", description="beside the service's own origin")
    metrics_token: SecretStr | None = Field(
        None, alias="METRICS_TOKEN", description="/metrics is for its bearer only; absent: for everybody who gets there"
    )
    docs: bool = Field(True, alias="DOCS", description="off: no /docs, /redoc and /openapi.json")
    keep_alive_seconds: float = Field(
        75, alias="KEEP_ALIVE_SECONDS", gt=0, le=DAY, description="longer than the balancer's: docs/proxies.md"
    )
    head_bytes: int = Field(
        32768, alias="HEAD_BYTES", ge=1024, le=1024 * 1024, description="of the request line and headers, then 431"
    )
    head_seconds: float = Field(
        10, alias="HEAD_SECONDS", gt=0, le=DAY, description="from a head's first byte to its last"
    )
    body_seconds: float = Field(
        30,
        alias="BODY_SECONDS",
        gt=0,
        le=DAY,
        description="for a whole body; likewise for each part of an answer to be taken",
    )
    event_streams: int = Field(
        5000,
        alias="EVENT_STREAMS",
        ge=1,
        le=1_000_000,
        description="open at once in each worker, and half of its connections at most",
    )
    event_seconds: float = Field(
        900,
        alias="EVENT_SECONDS",
        gt=0,
        le=900,
        description="that a stream of events lasts at most; then it is opened anew",
    )
    log_format: Literal["json", "console"] = Field("json", alias="LOG_FORMAT")
    build: str = Field(
        "", alias="TICKET_HOME_BUILD", description="which build of this version it is, such as a commit; told with it"
    )
    replica: str = Field(
        default_factory=lambda: os.environ.get("K_REVISION") or gethostname(),
        alias="REPLICA",
        description="what its log lines call it; absent: Cloud Run's revision, else the machine's name",
    )

    cache_push: bool = Field(True, alias="CACHE_PUSH", description="false: versions are polled only, staleness <= 1 s")
    cache_refresh_ahead: bool = Field(
        True, alias="CACHE_REFRESH_AHEAD", description="false: who reads first after a write, or an entry's end, waits"
    )
    cache_prefix: str = Field("", alias="CACHE_PREFIX", pattern=r"^[A-Za-z0-9_-]{0,40}$")
    canary_seconds: float = Field(
        5,
        alias="CANARY_SECONDS",
        ge=0,
        le=DAY,
        description="between two writes of the canary (core/canary); 0: there is none",
    )
    cache_memory_bytes: int = Field(64 * 1024 * 1024, alias="CACHE_MEMORY_BYTES", ge=0, le=1024**4)

    session_idle_seconds: int = Field(3600, alias="SESSION_IDLE_SECONDS", ge=1, le=366 * DAY)
    session_max_seconds: int = Field(12 * 3600, alias="SESSION_MAX_SECONDS", ge=1, le=366 * DAY)
    iap_audience: Audiences = Field(
        (),
        alias="IAP_AUDIENCE",
        description="/projects/NUMBER/locations/REGION/services/NAME or /projects/NUMBER/global/backendServices/ID;"
        " absent: nobody signs in by Google's Identity-Aware Proxy",
    )
    iap_keys_url: KeySet = Field(
        "https://www.gstatic.com/iap/verify/public_key-jwk",
        alias="IAP_KEYS_URL",
        description="the JWK set of what signs assertions",
    )
    superuser_emails: Emails = Field(
        (),
        alias="SUPERUSER_EMAILS",
        description="made superusers at their first sign-in by IAP, where there is no such user",
    )
    password_login: bool = Field(
        True, alias="PASSWORD_LOGIN", description="off: not for browsers; mobile and display clients go on using them"
    )
    # A hospital has one address: the second limit stops a machine that tries many names, not a ward that mistypes.
    # `ticket-home user unlock` lifts either.
    login_limit_user: Limit = Field(
        "10/15 minutes", alias="LOGIN_LIMIT_USER", description="failed sign-ins of one user, then 429"
    )
    login_limit_address: Limit = Field(
        "100/15 minutes",
        alias="LOGIN_LIMIT_ADDRESS",
        description="failed sign-ins from one address, of any names; devices that a user has signed in from pass it",
    )
    export_limit: Limit = Field("10/hour", alias="EXPORT_LIMIT", description="exports that one user begins, then 429")

    @model_validator(mode="after")
    def _refuse_nonsense_of_traces(self) -> Self:
        if found := traces.flaws(os.environ):
            raise ValueError("; ".join(found))
        return self

    @model_validator(mode="after")
    def _refuse_unsafe_production(self) -> Self:
        if not self.secret_keys:
            raise ValueError("SECRET_KEYS names no key")
        if self.env != "production":
            return self
        problems: list[str] = []
        problems += sorted({flaw for key in self.secret_keys if (flaw := flaw_of(key.get_secret_value()))})
        if self.database_url is None:
            problems.append("DATABASE_URL is required")
        if self.redis_url is None:
            problems.append("REDIS_URL is required")
        for name, url in (("DATABASE_URL", self.database_url), ("DATABASE_LISTEN_URL", self.database_listen_url)):
            if url is not None and not is_safe(is_database_safe, url):
                problems.append(f"{name} needs sslmode=require, or better verify-full, to another machine")
        if self.redis_url is not None and not is_safe(is_redis_safe, self.redis_url):
            problems.append("REDIS_URL needs rediss://, without ssl_cert_reqs=none, to another machine")
        if problems:
            raise ValueError("production refuses to start: " + "; ".join(problems))
        return self

    @property
    def served(self) -> dict[str, str]:
        """What serves here: `release`, the package's version and its build, and `replica`."""
        return {"release": f"{version(PACKAGE)}+{self.build}".rstrip("+"), "replica": self.replica}

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def passwords_never_right(self) -> frozenset[str]:
        """In production, the demo's: it is published, and demo data may have come along with a copied database."""
        return frozenset({DEMO_PASSWORD, self.demo_password.get_secret_value()} if self.is_production else ())

    @property
    def session_cookie(self) -> str:
        """`__Host-` pins the cookie to this host over TLS; a local http server cannot set it."""
        return "__Host-th_session" if self.env == "production" else "th_session"

    @property
    def device_cookie(self) -> str:
        """Names the device; it outlives sessions, and opens none (core/sessions/devices.py)."""
        return "__Host-th_device" if self.is_production else "th_device"

    @cached_property
    def cache_ttls(self) -> dict[str, float]:
        """Seconds by policy name, lower case, from CACHE_TTL_<POLICY>.

        Raises ValueError for what is not a positive number."""
        prefix = "CACHE_TTL_"
        found: dict[str, float] = {}
        for name, text in os.environ.items():
            if name.startswith(prefix) and text:
                ttl = float(text)
                if not 0 < ttl <= 7 * 86400:
                    raise ValueError(f"{name} must be between 0 and 604800 seconds")
                found[name.removeprefix(prefix).lower()] = ttl
        return found

    def require_database_url(self) -> str:
        """The configured address in libpq's form (`postgresql://`). Raises LookupError where none is configured."""
        if self.database_url is None:
            raise LookupError("DATABASE_URL is not set, and no embedded server was started")
        return self.database_url.get_secret_value()

    def require_direct_url(self) -> str:
        """For what no transaction pooler can carry: LISTEN, and jobs of many statements or of minutes.

        Raises LookupError where none is configured."""
        if self.database_listen_url is None:
            return self.require_database_url()
        return self.database_listen_url.get_secret_value()

    def require_redis_url(self) -> str:
        """The configured address. Raises LookupError where none is configured."""
        if self.redis_url is None:
            raise LookupError("REDIS_URL is not set, and no embedded server was started")
        return self.redis_url.get_secret_value()
