"""A password column holds more than passwords: what is none lets nobody in, and is told of."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.operations.imports.legacy.report import Outcome
from core.users.passwords.hashing import UNUSABLE, hash_password, verify_password
from tests.conftest import BASE_URL
from tests.core.operations.imports.conftest import Hospital, Import
from tests.core.operations.imports.imported import users
from tests.core.operations.imports.legacy.old_database import PBKDF2, SCRYPT
from tests.factories import rows
from tests.support.signing_in import log_in

PLACEHOLDER = "a placeholder and no password: needs a new one"
BROKEN = "a password's hash that is broken, or of an unknown kind: needs a new one"
SHARED = "a password in plain text that several accounts share: needs a new one"
NONE = "without a password: needs a new one"

PLACEHOLDERS = [
    "iap_user_placeholder",
    "sso-user-no-password",
    "IAP_USER_PLACEHOLDER",
    " Sso-User-No-Password ",
    "iap user placeholder",
    "ssoUserNoPassword\n",
    "iap-user-placeholder",
    "ｉａｐ_user_placeholder",
    "sso_user",
    "oauth-placeholder",
    "no password",
    "SIN CONTRASEÑA",
    "None",
    "NULL",
    "n/a",
    "!",
    "*",
    "--",
]
BROKEN_HASHES = [
    SCRYPT[:-2],
    SCRYPT + "\n",
    SCRYPT.upper(),
    SCRYPT.partition("$")[0],
    SCRYPT.rpartition("$")[0],
    "scrypt:32768:8:1$$",
    PBKDF2[:-1],
    PBKDF2.replace("sha256", "sha3_256"),
    "'" + PBKDF2 + "'",
    f"b'{PBKDF2}'",
    "pbkdf2_sha256$600000$salt$" + "A" * 43 + "=",
    "$2b$12$short",
    "!$6$salt$hash",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA",
    "{SSHA}nU4eI71bcnBGqeO0t9tXvY1u5oQx",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "*4ACFE3202A5FF5CF467898FC58AAB1D615029441",
    "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=",
    "!" + "aB3" * 13 + "x",
]


NO_PASSWORDS: dict[str | None, str] = {
    **dict.fromkeys(PLACEHOLDERS, PLACEHOLDER),
    **dict.fromkeys(BROKEN_HASHES, BROKEN),
    **dict.fromkeys(("", " ", "\t\n", None), NONE),
}


async def signs_nobody_in(client: httpx.AsyncClient, name: str, stored: str) -> bool:
    tried = dict.fromkeys([stored, stored.strip(), stored.lower(), "iap_user_placeholder", "sso-user-no-password"])
    return {await log_in(client, name, password or "x") for password in tried} <= {401, 429}


async def test_what_is_no_password_lets_nobody_in_and_is_told(
    hospital: Hospital, run_import: Import, connection: rows.Connection, app: FastAPI
) -> None:
    """All in one import. Each signs in from an address of its own, or the others' guesses would keep it out."""
    ids = {stored: await hospital.user(f"user{n}", password=stored) for n, stored in enumerate(NO_PASSWORDS)}
    report = await run_import()
    found = await users(connection)
    findings = {stored: [one.what for one in report.findings() if (one.table, one.legacy_id) == ("user", str(user_id))]
            for stored, user_id in ids.items()}  # fmt: skip
    assert findings == {stored: [what] for stored, what in NO_PASSWORDS.items()}
    for number, stored in enumerate(NO_PASSWORDS):
        assert found[f"user{number}"]["password_hash"] == UNUSABLE, stored
        at = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(f"10.0.0.{number}", 1))
        async with httpx.AsyncClient(transport=at, base_url=BASE_URL) as client:
            assert await signs_nobody_in(client, f"user{number}", stored or ""), stored


@pytest.mark.parametrize(
    "shared",
    [
        ("clave-de-todos 1", "clave-de-todos 1"),
        ("clave-de-todos 1", " clave-de-todos 1 "),
        ("Clave-de-Todos 1", "clave-de-todos 1", "CLAVE-DE-TODOS 1"),
        ("contraseña 1", "contrasen\u0303a 1"),
    ],
)
async def test_a_plain_text_that_several_accounts_share_is_nobodys_password(
    hospital: Hospital, run_import: Import, client: httpx.AsyncClient, shared: Sequence[str]
) -> None:
    """Whoever is one of them could be all of them. Who has one of their own keeps it."""
    for number, password in enumerate(shared):
        await hospital.user(f"shared{number}", password=password, is_active=number == 0)
    await hospital.user("own", password="clave-de-una 1")
    report = await run_import()
    for number, password in enumerate(shared):
        assert await log_in(client, f"shared{number}", password) == 401
    assert await log_in(client, "own", "clave-de-una 1") == 200
    assert report.count(Outcome.REPAIRED, "user", SHARED) == len(shared)
    assert "clave-de" not in str(report)


async def test_one_whose_twin_is_refused_shares_the_password_all_the_same(
    hospital: Hospital, run_import: Import, client: httpx.AsyncClient
) -> None:
    await hospital.user("berta", password="clave-de-todos 1")
    await hospital.user("lost", password="clave-de-todos 1", clinic_id=None)
    await run_import()
    assert await log_in(client, "berta", "clave-de-todos 1") == 401


@pytest.mark.parametrize("password", ["Berta y su perro 7", "scrypt:is my favourite", "$alario2025", "deadbeef", "a=b"])
async def test_a_password_in_plain_text_is_one_all_the_same(
    hospital: Hospital, run_import: Import, client: httpx.AsyncClient, password: str
) -> None:
    await hospital.user("berta", password=password)
    await run_import()
    assert await log_in(client, "berta", password) == 200


@pytest.mark.parametrize("password", PLACEHOLDERS[:8])
def test_single_sign_ons_words_are_never_right_however_they_are_stored(password: str) -> None:
    """Also where the old application hashed them, or an earlier import did."""
    made: Any = hash_password(password)
    assert not verify_password(made, password).right
