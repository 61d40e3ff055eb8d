"""Made by Werkzeug 3.1, whose formats they are; the first is of its users' documentation."""

import httpx
import pytest

from core.users.passwords.hashing import verify_password
from core.users.passwords.legacy_hashes import is_legacy_hash, verify_legacy
from tests.factories import rows
from tests.factories.fixtures import Seed

DOCUMENTED = (
    "scrypt:32768:8:1$pyMfKdIqwYxw0GOT$6d49052bdf9cffb2288d7cb198d7bed5566f284932dad0c74b3948866b1468220afd93e9aa17069c"
    "4a2403d33747e5e71981c3c552d751a0e249642b6641bac5"
)
HASHES = (
    "scrypt:32768:8:1$wYET1ubDYoG8TFnF$95433312cfbb160711c4ac144a823d283192c1bbc05e6979f2b4fbaaba9fed007fc31860a03c1d22"
    "fecdeaf59f1b741ba968c3487700e642eb99ab9ca0038c6c",
    "scrypt:16384:8:2$ji95XQWwY286LUZg$f7945a0c95fa098ce2ff86719e3dbf1984c1b3a36f7a7b0e077299de6103bf14a0203328d97b15e4"
    "8de4115d552f4cdc33300dc0f8f37e2f0bec8129ca28d3f7",
    "pbkdf2:sha256:1000$HKZup3TnwPQcAOCj$75ec07ade5fe726229d616ff0a3a5bb62eddaf6ac80754877e9ce9f695072add",
    "pbkdf2:sha512:1000$Mkv3jyZ0YzGhdphM$df3ac64e56e30eaf958d04e77def921f6185600e7c77d87fd07b8915dea7e0f3f759ff775d542d"
    "2f06cccc6ae3904c55003701e384faba4605bb61e15c922ab9",
    "pbkdf2:sha1:1000$t40QGmFzbwxiT6o4$5538acfbc2fac511e7a61ca480160e028e23653c",
)
PASSWORD = "contraseña 1"


@pytest.mark.parametrize("stored", HASHES)
def test_werkzeugs_hashes_are_verified(stored: str) -> None:
    assert is_legacy_hash(stored)
    assert verify_legacy(stored, PASSWORD)
    assert verify_legacy(stored, "contrasen\u0303a 1")
    for wrong in ("contraseña 2", "contrasena 1", "", "\ud800", stored):
        assert not verify_legacy(stored, wrong)


def test_the_documented_one_is_right() -> None:
    assert verify_legacy(DOCUMENTED, "my-test-password-123")
    assert not verify_legacy(DOCUMENTED, "my-test-password-12")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "contraseña 1",
        "scrypt:",
        "scrypt:32768:8:1$x$y",
        DOCUMENTED[:-1],
        DOCUMENTED + "0",
        DOCUMENTED.replace("32768", "32767"),
        DOCUMENTED.replace("32768", "99999999"),
        DOCUMENTED.replace(":8:", ":0:"),
        DOCUMENTED.replace(":1$", ":999$"),
        HASHES[2].replace("sha256", "md4"),
        HASHES[2].replace("1000", "0"),
        HASHES[2].replace("1000", "99999999"),
        HASHES[2][:-2],
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    ],
)
def test_what_is_no_hash_of_either_format_is_never_right(stored: str) -> None:
    assert not is_legacy_hash(stored)
    assert not verify_legacy(stored, PASSWORD)


def test_the_right_password_is_rehashed_with_argon2id() -> None:
    verdict = verify_password(HASHES[2], PASSWORD)
    assert verdict.right
    assert (verdict.renewed or "").startswith("$argon2id$")
    assert verify_password(verdict.renewed, PASSWORD) == (True, None)
    assert verify_password(HASHES[2], "wrong") == (False, None)


async def test_a_hash_works_at_the_first_sign_in_which_replaces_it(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    await rows.user(connection, "ana", "clinical", seed.sant.id, password_hash=HASHES[0])
    asked = {"username": "ana", "password": PASSWORD, "client": "mobile"}
    refused = await client.post("/v1/auth/login", json=asked | {"password": HASHES[0]})
    assert refused.status_code == 401
    assert (await client.post("/v1/auth/login", json=asked)).status_code == 200
    stored = await connection.fetchval("SELECT password_hash FROM app_user WHERE username = 'ana'")
    assert stored.startswith("$argon2id$")
    assert (await client.post("/v1/auth/login", json=asked)).status_code == 200
