"""Settings as the doctor prints them: every one, and no secret in any."""

import pytest
from pydantic import SecretStr, ValidationError

from core.operations.doctor.configuration import Addresses, effective, examined, masked, refused
from core.operations.doctor.finding import Verdict
from core.settings import Settings

SECRET = "hunter2-and-so-on-until-it-is-long-enough"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql://app:{SECRET}@db:5432/th?sslmode=require", "postgresql://app:***@db:5432/th?sslmode=require"),
        (f"postgresql://app@db/th?password={SECRET}&sslmode=require", "postgresql://app@db/th?password=***&sslmode=require"),
        (f"postgresql:///th?host=/run/pg&passfile={SECRET}", "postgresql:///th?host=/run/pg&passfile=***"),
        (f"redis://:{SECRET}@cache:6379/0", "redis://:***@cache:6379/0"),
        (f"rediss://cache?ssl_ca_certs=/ca.pem&password={SECRET}", "rediss://cache?ssl_ca_certs=/ca.pem&password=***"),
        (f"unix://u:{SECRET}@/run/valkey.sock", "unix://u:***@/run/valkey.sock"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        (f"redis+cluster://u:{SECRET}@a:1,b:2,c:3", "redis+cluster://u:***@a:1,b:2,c:3"),
        (f"postgresql://app:a@b@{SECRET}@db/th", "postgresql://app:***@db/th"),
        (SECRET, "***"),
        (f"redis://[{SECRET}", "***"),
        (f"https://keys.example/jwk#{SECRET}", "https://keys.example/jwk#***"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert SECRET not in masked(url)


def production(**more: object) -> Settings:
    given = {
        "env": "production",
        "database_url": SecretStr(f"postgresql://app:{SECRET}@db/th?sslmode=verify-full"),
        "redis_url": SecretStr(f"rediss://:{SECRET}@cache"),
        "secret_keys": (SecretStr(SECRET), SecretStr(SECRET[::-1])),
        "trusted_proxies": ("10.0.0.1",),
    }
    return Settings(**given | more)  # type: ignore[arg-type]


def test_every_setting_is_shown_and_no_secret_is() -> None:
    settings = production(
        demo_password=SecretStr(SECRET),
        database_listen_url=SecretStr(f"postgresql://a:{SECRET}@b/c?sslmode=require"),
    )
    shown = {name: (value, given) for name, value, given in effective(settings)}
    assert set(shown) >= {field.alias or name.upper() for name, field in Settings.model_fields.items()}
    assert SECRET not in str(shown)
    assert SECRET[::-1] not in str(shown)
    assert shown["DATABASE_URL"] == ("postgresql://app:***@db/th?sslmode=verify-full", True)
    assert shown["SECRET_KEYS"] == ("***, ***", True)
    assert shown["CACHE_PUSH"] == ("true", False)
    assert shown["IAP_AUDIENCE"] == ("(none)", False)


def test_the_lives_of_policies_are_shown_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_TTL_DASHBOARD", "60")
    assert ("CACHE_TTL_DASHBOARD", "60", True) in effective(production())
    assert [finding.verdict for finding in examined(production())] == [Verdict.OK]
    monkeypatch.setenv("CACHE_TTL_SESSION", "60")
    assert [finding.verdict for finding in examined(production())] == [Verdict.OK]
    monkeypatch.setenv("CACHE_TTL_DASBOARD", "60")
    [finding] = examined(production())
    assert (finding.verdict, finding.seen) == (Verdict.WARNING, "CACHE_TTL_DASBOARD: nothing has this name")
    assert "DASHBOARD" in finding.remedy
    for wrong in ("soon", "-1", "9999999"):
        monkeypatch.setenv("CACHE_TTL_DASBOARD", wrong)
        [finding] = examined(production())
        assert finding.verdict is Verdict.FAILED
        assert "CACHE_TTL_" in finding.seen


def test_production_behind_no_named_proxy_is_warned() -> None:
    [finding] = examined(production(trusted_proxies=()))
    assert finding.verdict is Verdict.WARNING
    assert "TRUSTED_PROXIES" in finding.seen


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"secret_keys": (SecretStr("short-one"),)}, "SECRET_KEYS needs keys"),
        ({"redis_url": None}, "REDIS_URL is required"),
        ({"redis_url": SecretStr(f"redis://:{SECRET}@cache")}, "REDIS_URL needs rediss://"),
        ({"database_url": SecretStr(f"postgresql://app:{SECRET}@db/th")}, "DATABASE_URL needs sslmode"),
        ({"database_listen_url": SecretStr(f"postgresql://app:{SECRET}@db/th")}, "DATABASE_LISTEN_URL needs sslmode"),
        ({"cache_prefix": "not a prefix!"}, "CACHE_PREFIX"),
        ({"login_limit_user": "often"}, "LOGIN_LIMIT_USER"),
        ({"iap_audience": (f"{SECRET}",)}, "IAP_AUDIENCE"),
        ({"iap_keys_url": f"http://{SECRET}/jwk"}, "IAP_KEYS_URL"),
        ({"superuser_emails": (SECRET,)}, "SUPERUSER_EMAILS"),
        # Names are not looked up: trusted would be nobody.
        ({"trusted_proxies": ("proxy.example.org",)}, "TRUSTED_PROXIES: each is an address"),
        ({"trusted_proxies": ("10.0.0.1:80",)}, "TRUSTED_PROXIES: each is an address"),
        ({"trusted_proxies": ("10.0.0.0/8", "10.0.0.1/8")}, "TRUSTED_PROXIES: each is an address"),
    ],
)
def test_what_production_refuses_is_told_without_its_value(given: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        production(**given)
    findings = refused(caught.value)
    assert all(finding.verdict is Verdict.FAILED for finding in findings)
    assert any(expected in finding.seen for finding in findings), findings
    for secret in (SECRET, "short-one", "not a prefix"):
        assert secret not in str(findings)


def test_with_refused_settings_servers_are_known_all_the_same() -> None:
    assert Addresses.around({"DATABASE_URL": "postgresql://x/y", "REDIS_URL": ""}) == Addresses(
        "postgresql://x/y", None, None
    )


def test_ways_in_that_lead_nowhere_are_told() -> None:
    given = {"password_login": False, "superuser_emails": ("boss@example.org",)}
    for name, value in given.items():
        [finding] = examined(production(**{name: value}))
        assert (finding.verdict, name.upper() in finding.seen) == (Verdict.WARNING, True)
    assert [one.verdict for one in examined(production(iap_audience=("/projects/1/apps/ours",), **given))] == [
        Verdict.OK
    ]


@pytest.mark.parametrize("env", ["local", "production"])
@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        (("*",), "may say which address"),
        (("10.0.0.1", "*"), "may say which address"),
        (("0.0.0.0/0",), "may say which address"),
        (("::/0",), "may say which address"),
        (("0.0.0.0/1", "128.0.0.0/1"), "may say which address"),
        (("10.0.0.0/8", "::1", "2001:db8::/32"), None),
    ],
)
def test_proxies_that_are_everybody_are_told(env: str, proxies: tuple[str, ...], expected: str | None) -> None:
    found = [one for one in examined(production(env=env, trusted_proxies=proxies)) if "TRUSTED_PROXIES" in one.seen]
    assert [one.verdict for one in found] == ([] if expected is None else [Verdict.WARNING])
    assert all(expected is not None and expected in one.seen for one in found)
