"""What production refuses: patients' data in plain text to another machine."""

import secrets
from base64 import b64encode

import pytest
from pydantic import SecretStr, ValidationError

from core.settings import Settings
from core.settings.traces import COLLECTORS

SAFE_DATABASE = "postgresql://app:s@db/th?sslmode=verify-full"
SAFE_REDIS = "rediss://:s@cache"


def production(
    database: str = SAFE_DATABASE,
    redis: str = SAFE_REDIS,
    listen: str | None = None,
    keys: tuple[str, ...] | None = None,
) -> Settings:
    return Settings(
        env="production",
        database_url=SecretStr(database),
        database_listen_url=SecretStr(listen) if listen else None,
        redis_url=SecretStr(redis),
        secret_keys=tuple(map(SecretStr, keys or (MADE_BY_CHANCE,))),
    )


MADE_BY_CHANCE = "7a2c13270cd851c598b1a9b3211b8971"


def test_keys_made_by_chance_are_taken() -> None:
    made = (secrets.token_hex(16), secrets.token_hex(64), secrets.token_urlsafe(32), secrets.token_urlsafe(256))
    for key in (*made, b64encode(secrets.token_bytes(32)).decode()):
        production(keys=(key, MADE_BY_CHANCE))


@pytest.mark.parametrize(
    "key",
    [
        *(
            "a" * 32,
            "a" * 500,
            "ab" * 16,
            "0" * 31 + "1",
            "x" * 16 + "y" * 16,
            "0123456789abcdef" * 2,
            "0123456789" * 4,
        ),
        *("abcdefghijklmnopqrstuvwxyz012345", "qwertyuiopasdfghjklzxcvbnm123456", "changeme" * 4, "password" * 5),
        *("changeme-changeme-changeme-changeme", "test-secret-key-test-secret-key-test", "ticket-home-demo" * 2),
        *("local-only-not-a-secret-local-only-not-a-secret", "s3cr3t-key-for-production-0123456789"),
        *("this-is-a-secret-key-1234567890", "7a2c13270cd851c598b1a9b3211b897"),
    ],
)
def test_keys_that_somebody_thought_of_are_refused_wherever_they_stand(key: str) -> None:
    for keys in ((key,), (MADE_BY_CHANCE, key)):
        with pytest.raises(ValidationError, match="SECRET_KEYS needs keys") as refused:
            production(keys=keys)
        assert key not in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:s@db/th?sslmode=require",
        "postgresql://app:s@db:5432/th?sslmode=verify-ca&sslrootcert=/ca.pem",
        "postgresql://app:p%40ss@one,two:5433/th?sslmode=verify-full",
        "postgresql://app@/th?host=/cloudsql/project:region:instance",
        "postgresql://app@%2Frun%2Fpostgresql/th",
        "postgresql://app:s@localhost/th",
        "postgresql://app:s@127.0.0.1:6432/th?sslmode=disable",
        "postgresql://app:s@[::1]:5432/th",
    ],
)
def test_a_database_that_is_encrypted_or_on_this_machine_is_taken(url: str) -> None:
    production(url)
    production(listen=url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:s@db/th",
        "postgresql:///th",
        "postgresql:///th?service=elsewhere",
        "postgresql://app:s@[db/th",
        "postgresql://app:s@db/th?sslmode=prefer",
        "postgresql://app:s@db/th?sslmode=disable",
        "postgresql://app:s@10.0.0.5:5432/th",
        "postgresql://app:s@localhost,db/th",
        "postgresql://app:localhost@db/th",
        "postgresql://app:s@/th?host=db",
        "postgresql://app:s@localhost/th?host=db",
        "postgresql://app:s@localhost.example/th",
        "postgresql://app:s@[2001:db8::1]/th",
    ],
)
def test_a_database_in_plain_text_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match=r"DATABASE_URL needs sslmode=require|an IPv6 address"):
        production(url)
    with pytest.raises(ValidationError, match=r"DATABASE_LISTEN_URL needs sslmode=require|an IPv6 address"):
        production(listen=url)


@pytest.mark.parametrize(
    "url",
    [
        "rediss://:s@cache:6379/0",
        "rediss://cache?ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
        "rediss+cluster://:s@one:6379,two:6379",
        "redis://127.0.0.1:6379",
        "redis://localhost",
        "redis+cluster://127.0.0.1:7000,127.0.0.1:7001",
        "unix:///run/valkey.sock",
        "unix://:s@/run/valkey.sock",
    ],
)
def test_a_redis_that_is_encrypted_or_on_this_machine_is_taken(url: str) -> None:
    production(redis=url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s@cache",
        "redis://10.0.0.6",
        "redis+cluster://127.0.0.1:7000,two:7001",
        "rediss://cache?ssl_cert_reqs=none",
        "rediss+cluster://one,two?ssl_cert_reqs=NONE",
    ],
)
def test_a_redis_in_plain_text_or_unverified_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="REDIS_URL needs rediss://"):
        production(redis=url)


def test_locally_nothing_of_it_is_asked() -> None:
    Settings(database_url=SecretStr("postgresql://db/th"), redis_url=SecretStr("redis://cache"))


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("IAP_AUDIENCE", "/projects/1/global/backendServices/2", ("/projects/1/global/backendServices/2",)),
        ("IAP_AUDIENCE", " /projects/1/apps/a , /projects/2/apps/b,", ("/projects/1/apps/a", "/projects/2/apps/b")),
        ("IAP_AUDIENCE", "", ()),
        ("SUPERUSER_EMAILS", "Boss@Example.org,other@example.org", ("boss@example.org", "other@example.org")),
        ("IAP_KEYS_URL", "https://keys.example/jwk", "https://keys.example/jwk"),
        ("IAP_KEYS_URL", "http://127.0.0.1:8080/jwk", "http://127.0.0.1:8080/jwk"),
        ("ALLOWED_ORIGINS", "https://Pages.example/,http://[::1]:8080", ("https://pages.example", "http://[::1]:8080")),
        ("PASSWORD_LOGIN", "off", False),
        ("DOCS", "off", False),
    ],
)
def test_lists_and_switches_are_read_as_operators_write_them(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: object
) -> None:
    monkeypatch.setenv(name, value)
    (field,) = [field for field, info in Settings.model_fields.items() if info.alias == name]
    assert getattr(Settings(), field) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IAP_AUDIENCE", "*"),
        ("IAP_AUDIENCE", "projects/1/apps/a"),
        ("IAP_AUDIENCE", "/projects/1/apps/a /projects/2/apps/b"),
        ("IAP_AUDIENCE", "/projects/"),
        ("IAP_KEYS_URL", "http://keys.example/jwk"),
        ("IAP_KEYS_URL", "http://localhost.keys.example/jwk"),
        ("IAP_KEYS_URL", "https://"),
        ("IAP_KEYS_URL", "file:///etc/keys"),
        ("IAP_KEYS_URL", "//keys.example/jwk"),
        ("IAP_KEYS_URL", "https://[keys.example/jwk"),
        ("SUPERUSER_EMAILS", "boss"),
        ("SUPERUSER_EMAILS", "boss@example.org other@example.org"),
        ("SUPERUSER_EMAILS", "boss@example.org;other@example.org"),
        ("SUPERUSER_EMAILS", "bo\u212as@example.org"),
        ("PASSWORD_LOGIN", "sometimes"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "https://pages.example,*"),
        ("ALLOWED_ORIGINS", "https://*.example"),
        ("ALLOWED_ORIGINS", "pages.example"),
        ("ALLOWED_ORIGINS", "https://pages.example/path"),
        ("ALLOWED_ORIGINS", "https://user@pages.example"),
        ("ALLOWED_ORIGINS", "file://"),
    ],
)
def test_what_would_open_too_much_or_means_nothing_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


ADDRESS = "://somebody:p4ssw0rd@[host"
NONSENSE: dict[object, tuple[str, ...]] = {
    float: ("x", "-1", "inf", "nan", "1e300", "1" + "0" * 30),
    int: ("x", "-1", "1.5", "inf", "1" + "0" * 30),
    bool: ("sometimes", "-1", "1.5"),
}
FOR_TEXT = ("x:y", f"http{ADDRESS}", f"redis{ADDRESS}", "10.0.0.0/99", "10.0.0.1/8", "300.1.1.1")
ANY_TEXT = {"TICKET_HOME_DATA_DIR", "TICKET_HOME_DEMO_PASSWORD", "METRICS_TOKEN", "TICKET_HOME_BUILD", "REPLICA"}
"""Settings that any text is a value of."""


def test_no_setting_takes_nonsense_and_no_refusal_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting there is: of its kind, and what stands for an address, a list, a limit."""
    looked_at = set()
    monkeypatch.setenv("TICKET_HOME_ENV", "production")
    for name, value in {"DATABASE_URL": SAFE_DATABASE, "REDIS_URL": SAFE_REDIS, "SECRET_KEYS": MADE_BY_CHANCE}.items():
        monkeypatch.setenv(name, value)
    for info in Settings.model_fields.values():
        assert info.alias is not None
        if info.alias in ANY_TEXT:
            continue
        for value in NONSENSE.get(info.annotation, FOR_TEXT):
            with monkeypatch.context() as given:
                given.setenv(info.alias, value)
                with pytest.raises(ValidationError) as refused:
                    Settings()
            assert info.alias in str(refused.value), (info.alias, value)
            assert "p4ssw0rd" not in str(refused.value)
            looked_at.add(info.alias)
    assert len(looked_at) == len(Settings.model_fields) - len(ANY_TEXT)


@pytest.mark.parametrize("value", ["10.0.0.7", "10.30.0.0/16", "*", "169.254.0.0/16, ::1", ""])
def test_proxies_are_named_by_address_or_network(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", value)
    assert Settings().trusted_proxies == tuple(one.strip() for one in value.split(",") if one)


@pytest.mark.parametrize(
    "value", ["redis://h:99999", "redis://", "redis://a,b", "unix://", "unix+cluster:///a", "redis+x://a"]
)
def test_what_leads_to_no_redis_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(ValidationError, match="REDIS_URL"):
        Settings()


@pytest.mark.parametrize("name", COLLECTORS)
@pytest.mark.parametrize(
    "value", ["x:y", "collector:4318", f"http{ADDRESS}", "http://", "http://u:p4ssw0rd@collector:4318"]
)
def test_traces_go_to_no_nonsense_and_show_no_password(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=f"{name} is no address") as refused:
        Settings()
    assert "p4ssw0rd" not in str(refused.value)
    monkeypatch.setenv(name, "https://collector.example:4318/base")
    Settings()
