"""One reader of a database's address: every parameter that libpq's manual lists works for all who connect, or is
refused in a sentence that names it."""

import asyncio
from functools import partial
from urllib.parse import quote, urlsplit

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args  # type: ignore[attr-defined]  # no other way to ask asyncpg
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from core.cache.versions.listener import Listener
from core.cache.versions.map import VersionMap
from core.db.connections.connection import connect_directly
from core.db.connections.engine import dispose, migration_engine, serving_engine
from core.db.schema.migrate import upgrade
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.servers.reaching import Ways, reach
from core.operations.imports.legacy.source import NotTheSource, opened
from core.settings import Settings
from core.settings.database_address import NoAddress, normalised
from tests.support.machine import until

START = "postgresql://ana:secret@db.example.org:5433/th"
WORK = {
    "dbname": ["th"],
    "user": ["ana"],
    "password": ["secret"],
    "host": ["db.example.org", "a,b", "/run/postgresql", "::1"],
    "port": ["5433"],
    "passfile": ["/home/ana/.pgpass"],
    "channel_binding": ["disable", "prefer"],
    "connect_timeout": ["0", "2", "10", "-1"],
    "client_encoding": ["utf8", "UTF8", "auto"],
    "options": ["-c geqo=off", "-csearch_path=a,public -c work_mem=8MB", "--geqo=off"],
    "application_name": ["th", "ñ", ""],
    "fallback_application_name": ["th"],
    "keepalives": ["0", "1"],
    "keepalives_idle": ["30"],
    "keepalives_interval": ["10"],
    "keepalives_count": ["3"],
    "tcp_user_timeout": ["0", "10000"],
    "replication": ["false", "off", "no", "0"],
    "gssencmode": ["disable", "prefer"],
    "sslmode": ["disable", "allow", "prefer", "require"],
    "requiressl": ["0", "1"],
    "ssl": ["true", "require", "prefer"],
    "sslnegotiation": ["postgres"],
    "sslcompression": ["0", "1"],
    "sslcertmode": ["allow"],
    "sslsni": ["1"],
    "sslpassword": ["", "secret"],
    "ssl_min_protocol_version": ["TLSv1.2"],
    "ssl_max_protocol_version": ["TLSv1.3"],
    "min_protocol_version": ["3.0"],
    "max_protocol_version": ["3.0", "3.2", "latest"],
    "krbsrvname": ["postgres"],
    "gsslib": ["gssapi"],
    "gssdelegation": ["0"],
    "service": ["there-is-none"],
    "target_session_attrs": ["any", "read-write", "primary"],
    "load_balance_hosts": ["disable", "random"],
}
FILES = ("sslcert", "sslkey", "sslrootcert", "sslcrl")
REFUSED = {
    "hostaddr": ["127.0.0.1"],
    "port": ["0", "65536", "x", "1,2", "٥"],
    "require_auth": ["scram-sha-256", "none"],
    "channel_binding": ["require", "", "x"],
    "connect_timeout": ["x", "", "1.5"],
    "client_encoding": ["latin1", ""],
    "keepalives": ["yes"],
    "keepalives_idle": ["x"],
    "keepalives_interval": ["x"],
    "keepalives_count": ["x"],
    "tcp_user_timeout": ["x"],
    "options": [""],
    "replication": ["true", "database"],
    "gssencmode": ["require"],
    "sslmode": ["REQUIRE", "verify", "", "true"],
    "ssl": ["maybe"],
    "sslnegotiation": ["direct", "x"],
    "sslcompression": ["x"],
    "sslkey": ["pkcs11:x", ""],
    "sslcertmode": ["disable", "require"],
    "sslrootcert": ["system", ""],
    "sslcrldir": ["/etc"],
    "sslsni": ["0"],
    "sslkeylogfile": ["/keys"],
    "requirepeer": ["postgres"],
    "ssl_min_protocol_version": ["SSLv3", "1.2"],
    "ssl_max_protocol_version": ["x"],
    "min_protocol_version": ["3.2"],
    "max_protocol_version": ["2"],
    "krbsrvname": [""],
    "gsslib": ["sspi"],
    "gssdelegation": ["1"],
    "scram_client_key": ["x"],
    "scram_server_key": ["x"],
    "servicefile": ["/etc/pg_service.conf"],
    "target_session_attrs": ["standby", "prefer-standby", "read-only", "x"],
    "load_balance_hosts": ["x"],
    "oauth_issuer": ["https://example.org"],
    "oauth_client_id": ["x"],
    "oauth_client_secret": ["x"],
    "oauth_scope": ["x"],
    # What others' libraries take.
    "schema": ["public"],
    "pgbouncer": ["true"],
    "search_path": ["a"],
    "prepared_statement_cache_size": ["0"],
    "SSLMODE": ["require"],
}
LIBPQ = """
    host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding
    options application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count
    tcp_user_timeout replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey
    sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version
    ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation scram_client_key
    scram_server_key service servicefile target_session_attrs load_balance_hosts oauth_issuer oauth_client_id
    oauth_client_secret oauth_scope
"""
"""PostgreSQL 18's manual, "Parameter Key Words"."""


def test_all_of_libpqs_parameters_are_looked_at_here() -> None:
    assert WORK.keys() | REFUSED.keys() | set(FILES) >= set(LIBPQ.split())


def pairs(cases: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in cases.items() for value in values]


def with_parameter(url: str, name: str, value: str) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{name}={quote(value, safe='')}"


def asyncpgs(url: str) -> tuple[list[object], object]:
    """(addresses, parameters) as asyncpg reads it."""
    others = "host port user password passfile database ssl service servicefile direct_tls server_settings"
    more = "target_session_attrs krbsrvname gsslib"
    addresses, parameters = _parse_connect_dsn_and_args(dsn=url, **dict.fromkeys(f"{others} {more}".split()))
    return addresses, parameters


@pytest.mark.parametrize(("name", "value"), pairs(WORK))
def test_a_parameter_that_is_taken_makes_an_address_that_asyncpg_reads_without_a_rest(name: str, value: str) -> None:
    found = normalised(with_parameter(START, name, value))
    _, parameters = asyncpgs(found)
    assert set(parameters.server_settings or {}) <= {"options"}  # type: ignore[attr-defined]
    assert normalised(found) == found


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_to_asyncpg_as_it_is(name: str) -> None:
    assert normalised(f"postgresql://h/d?{name}=/etc/a%20b+c.pem") == f"postgresql://h/d?{name}=/etc/a%20b%2Bc.pem"


@pytest.mark.parametrize(("name", "value"), pairs(REFUSED))
@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_LISTEN_URL"])
def test_a_parameter_that_is_not_taken_is_refused_at_the_start_by_its_name_and_without_the_password(
    variable: str, name: str, value: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({variable: SecretStr(with_parameter(START, name, value))})
    message = str(refused.value)
    assert variable in message
    assert ("sslmode" if name == "ssl" else name) in message
    assert "secret@" not in message


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgres://ana@h/d", "postgresql://ana@h/d"),
        ("POSTGRESQL://h/d", "postgresql://h/d"),
        ("postgresql+asyncpg://ana:x@h:1/d", "postgresql://ana:x@h:1/d"),
        ("postgresql+psycopg2://h/d", "postgresql://h/d"),
        ("postgresql+psycopg://h/d?sslmode=require", "postgresql://h/d?sslmode=require"),
        ("postgresql://ana:p@ss:w/rd@h/d".replace("w/", "w%2F"), "postgresql://ana:p%40ss%3Aw%2Frd@h/d"),
        ("postgresql://a%40b:%C3%B1%25@h/d", "postgresql://a%40b:%C3%B1%25@h/d"),
        ("postgresql://h1:1,h2:2/d", "postgresql://h1:1,h2:2/d"),
        ("postgresql://h1,h2/d?port=1,2", "postgresql://h1:1,h2:2/d"),
        ("postgresql://h1,h2/d?port=9", "postgresql://h1:9,h2:9/d"),
        ("postgresql:///d?host=h1,h2&port=1,2", "postgresql://h1:1,h2:2/d"),
        ("postgresql://[::1]:5/d", "postgresql://[::1]:5/d"),
        ("postgresql:///d?host=/run/pg&port=9", "postgresql:///d?host=/run/pg&port=9"),
        ("postgresql://ana@%2Frun%2Fpg:9/d", "postgresql://ana@/d?host=/run/pg&port=9"),
        ("postgresql:///d", "postgresql:///d"),
        ("postgresql://h", "postgresql://h/"),
        ("postgresql://h?dbname=a%20b&user=ana&password=x%26y", "postgresql://ana:x%26y@h/a%20b"),
        ("postgresql://h/d?ssl=true", "postgresql://h/d?sslmode=require"),
        ("postgresql://h/d?ssl=verify-full", "postgresql://h/d?sslmode=verify-full"),
        ("postgresql://h/d?requiressl=1", "postgresql://h/d?sslmode=require"),
        ("postgresql://h/d?options=-c%20a=b", "postgresql://h/d?options=-c%20a%3Db"),
        ("postgresql://h/d?sslmode=require&sslmode=verify-full", "postgresql://h/d?sslmode=verify-full"),
        ("postgresql://h/d?sslmode=require&channel_binding=prefer", "postgresql://h/d?sslmode=require"),
    ],
)
def test_the_same_address_written_otherwise_is_one(given: str, wanted: str) -> None:
    assert normalised(given) == wanted
    assert normalised(wanted) == wanted


@pytest.mark.parametrize(
    "url",
    [
        *("", "th", "localhost:5432", "host=db dbname=th", "mysql://h/d", "http://h/d", "sqlite:///d", "redis://h"),
        *("postgresql:h", "://h/d", "postgresql://h:0/d", "postgresql://h:x/d", "postgresql://h:70000/d"),
        *("postgresql://[::1/d", "postgresql://[::1]5/d", "postgresql://a,,b/d", "postgresql://a,b/d?port=1,2,3"),
        *("postgresql://h/d#x", "postgresql://a:b#c@h/d", "postgresql://h/d%00", "postgresql://h/d?nonsense"),
        "postgresql://h/d?sslmode=require&sslmode=",
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(NoAddress):
        normalised(url)
    if url:
        with pytest.raises(ValidationError, match="DATABASE_URL"):
            Settings(DATABASE_URL=SecretStr(url))


@given(*[st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=12)] * 3)
def test_any_user_password_and_name_reach_asyncpg_as_they_are(user: str, password: str, name: str) -> None:
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@h/{quote(name, safe='')}"
    _, parameters = asyncpgs(normalised(url))
    assert (parameters.user, parameters.password, parameters.database) == (user, password, name)  # type: ignore[attr-defined]


def spellings(url: str) -> list[str]:
    """Of the address of the tests' own server, on a socket: all that is taken, and other ways of writing it."""
    rest = url.partition("://")[2]
    plain = [f"postgres://{rest}", f"postgresql+asyncpg://{rest}", f"postgresql+psycopg2://{rest}"]
    left_alone = ("host", "port", "dbname", "user", "password", "krbsrvname", "service")
    taken = [
        with_parameter(url, name, value)
        for name, value in pairs(WORK)
        if name not in left_alone
        and value not in ("require", "-csearch_path=a,public -c work_mem=8MB")
        and (name, value) != ("requiressl", "1")
        and (name, value) != ("ssl", "true")
    ]
    return [*plain, *taken]


async def unstamped(**_: bool) -> None:
    """The listener connects whatever the versions stand for."""


AT_ONCE = 5
"""Addresses: what they wait for is the server."""


async def works_for_all_who_connect(url: str, redis_url: str) -> None:
    settings = Settings(DATABASE_URL=SecretStr(url), REDIS_URL=SecretStr(redis_url))
    direct = settings.require_direct_url()
    for engine in (serving_engine(settings), migration_engine(direct)):
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1, url
        await dispose(engine)
    listener = Listener(direct, VersionMap(), unstamped, push=True)
    listening = asyncio.create_task(listener.run())
    await until(partial(getattr, listener, "connected"))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    copying = await connect_directly(direct, name="test", settings={"timezone": "UTC"})
    await copying.close()
    for addresses in (Addresses.of(settings), Addresses.around({"DATABASE_URL": url})):
        ways = await reach(addresses)
        assert isinstance(ways, Ways), (url, ways)
        ways.close()
    with pytest.raises(NotTheSource, match="Ticket Home itself"):
        async with opened(url):
            pass


async def test_what_is_taken_works_for_all_who_connect(database_url: str, redis_url: str) -> None:
    urls = spellings(database_url)
    for at in range(0, len(urls), AT_ONCE):
        await asyncio.gather(*(works_for_all_who_connect(url, redis_url) for url in urls[at : at + AT_ONCE]))


def test_migrations_run_by_another_spelling(database_url: str) -> None:
    settings = Settings(DATABASE_URL=SecretStr(f"{with_parameter(database_url, 'connect_timeout', '5')}"))
    upgrade(settings.require_direct_url())


async def test_a_source_of_an_import_may_be_a_standby_and_what_is_no_address_is_told() -> None:
    assert "target_session_attrs=standby" in normalised(
        "postgresql://h/d?target_session_attrs=standby", only_primary=False
    )
    with pytest.raises(NotTheSource, match="hostaddr"):
        async with opened("postgresql://h/d?hostaddr=127.0.0.1"):
            pass


def test_the_doctor_looks_where_a_spelling_leads_that_settings_refuse_for_another_reason() -> None:
    found = Addresses.around({"DATABASE_URL": "postgresql+asyncpg://h/d?connect_timeout=3", "DATABASE_LISTEN_URL": "x"})
    assert (found.database_url, found.listen_url) == ("postgresql://h/d", "x")
