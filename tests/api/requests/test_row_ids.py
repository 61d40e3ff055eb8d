"""Numbers that no row's id can be: refused as such wherever an id is read, and never an error of ours."""

import pytest

from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support.answers import refusal

BEYOND = ("2147483648", "9" * 12, "0" * 12 + "9" * 12, "0" * 5000, "9" * 5000)
"""PostgreSQL's `integer` ends at 2147483647; Python reads no number of more than 4,300 digits."""


@pytest.mark.parametrize("number", BEYOND)
async def test_no_row_has_such_an_id(sign_in: SignIn, seed: Seed, number: str) -> None:
    superuser = await sign_in(seed.superuser)
    for name in ("users", "audit/logins", "audit/actions", "tickets", "nursing-board", "doctors"):
        path = f"/v1/{name}"
        for more in ("", "&limit=0"):
            answer = await superuser.get(f"{path}?clinic_id={number}{more}")
            assert refusal(answer) == (422, "invalid"), (path, answer.text)
    for path in ("/v1/tickets", "/v1/nursing-board"):
        assert refusal(await superuser.get(f"{path}?surgery_id={number}")) == (422, "invalid"), path
    for path in ("/v1/users", "/v1/doctors", "/v1/clinics"):
        for body in ({}, {"unknown": 1}):
            answer = await superuser.patch(f"{path}/{number}", json=body)
            assert refusal(answer) == (404, "not_found"), (path, answer.text)


@pytest.mark.parametrize("number", BEYOND[:3])
async def test_nobody_searched_for_has_such_an_id(sign_in: SignIn, seed: Seed, number: str) -> None:
    superuser = await sign_in(seed.superuser)
    for path in ("/v1/audit/logins", "/v1/audit/actions"):
        answer = await superuser.get(path, params={"user": number})
        assert (answer.status_code, answer.json()["items"]) == (200, []), answer.text


async def test_zeros_before_an_id_are_nothing(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for zeros in ("", "0" * 12):
        answer = await superuser.patch(f"/v1/doctors/{zeros}{seed.sant.doctor_id}", json={"name": "Dra. Soto"})
        assert answer.status_code == 200, answer.text
