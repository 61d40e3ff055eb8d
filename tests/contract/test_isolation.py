"""Every route × every role × own and foreign clinic, from the contract itself: a route without a rule fails.

No foreign data, no 500, cached or not (docs/design/reliability.md, "Isolation check").
"""

import httpx
import pytest
from fastapi import FastAPI

from core.access import Role
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.contract.operations import Operation, operations, target_in
from tests.support.contract.rules import RULES, Reach, Target

MARK = "maga"
"""In every text of the foreign clinic's rows, and nowhere else."""


def test_every_operation_has_a_rule(app: FastAPI) -> None:
    assert {operation.id for operation in operations(app)} == set(RULES)


@pytest.fixture
async def own(connection: rows.Connection, seed: Seed) -> Target:
    return await target_in(connection, seed.sant)


@pytest.fixture
async def foreign(connection: rows.Connection, seed: Seed) -> Target:
    return await target_in(connection, seed.maga)


async def test_nobody_signed_in_gets_a_401_everywhere_but_at_public_routes(
    app: FastAPI, client: httpx.AsyncClient, own: Target
) -> None:
    for operation in operations(app):
        rule = RULES[operation.id]
        answer = await operation.request(client, rule, own)
        assert answer.status_code == (rule.to_strangers if rule.role is None else 401), (operation, answer.text)


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_what_its_rule_says_and_no_more(
    app: FastAPI, sign_in: SignIn, own: Target, role: Role
) -> None:
    username = "superuser" if role is Role.SUPERUSER else f"{role}_sant"
    client = await sign_in(username)
    for operation in operations(app):
        rule = RULES[operation.id]
        if rule.role is None:
            continue
        caller = await sign_in(username) if rule.ends_session else client
        answer = await operation.request(caller, rule, own)
        allowed = role.rank >= rule.role.rank
        assert (answer.status_code != 403) if allowed else (answer.status_code == 403), (operation, answer.text)
        assert answer.status_code < 500, (operation, answer.text)
        if allowed and operation.method == "GET":
            assert answer.status_code == 200, (operation, answer.text)
        client = await sign_in(username) if rule.ends_session else client


DISPLAYED = {"/v1/auth/me", "/v1/nursing-board", "/v1/clinics", "/v1/urgency-thresholds", "/v1/events"}


async def test_a_display_reads_five_routes_and_writes_its_sign_out_alone(
    app: FastAPI, client: httpx.AsyncClient, own: Target
) -> None:
    as_display = {"username": own.clinic.viewer, "password": rows.PASSWORD, "client": "display"}
    token = (await client.post("/v1/auth/login", json=as_display)).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    walked = sorted(operations(app), key=lambda operation: operation.id == "authLogout")
    for operation in walked:
        rule = RULES[operation.id]
        if rule.role is None:
            continue
        answer = await operation.request(client, rule, own)
        read = operation.method == "GET" and operation.path in DISPLAYED
        expected = 200 if read else 204 if operation.id == "authLogout" else 403
        assert answer.status_code == expected, (operation, answer.text)
        if expected == 403:
            assert answer.json()["code"] == "forbidden"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLINICAL, Role.ADMIN])
async def test_a_foreign_clinic_does_not_exist(
    app: FastAPI, sign_in: SignIn, own: Target, foreign: Target, role: Role
) -> None:
    """Named in query, path or body it is a 404, the same as what is nowhere."""
    client = await sign_in(f"{role}_sant")
    walked = 0
    for operation in operations(app):
        rule = RULES[operation.id]
        if rule.role is None or role.rank < rule.role.rank or rule.reach is Reach.NOWHERE:
            continue
        query = {"clinic_id": foreign.clinic.id} if rule.reach is Reach.QUERY else {}
        for _ in ("missed", "perhaps cached"):
            answer = await operation.request(client, rule, foreign, **query)
            assert answer.status_code == 404, (operation, answer.text)
            assert answer.json()["code"] == "not_found"
            assert MARK not in answer.text.lower().replace("th-maga-2026-900", "")
        walked += 1
    assert walked > 10


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLINICAL, Role.ADMIN])
async def test_no_answer_holds_foreign_data(
    app: FastAPI, sign_in: SignIn, own: Target, foreign: Target, role: Role
) -> None:
    """Also right after the foreign clinic's own users, and a superuser, had theirs cached."""
    mine, theirs, everybody = await sign_in(f"{role}_sant"), await sign_in(f"{role}_maga"), await sign_in("superuser")
    for operation in operations(app):
        rule = RULES[operation.id]
        if operation.method != "GET" or rule.role is None or role.rank < rule.role.rank:
            continue
        wide = await operation.request(everybody, rule, foreign)
        there = await operation.request(theirs, rule, foreign)
        assert wide.status_code < 500
        assert there.status_code < 500
        for _ in ("missed", "perhaps cached"):
            answer = await operation.request(mine, rule, own)
            assert answer.status_code == 200, (operation, answer.text)
            assert MARK not in answer.text.lower(), operation


def of_clinics(app: FastAPI) -> list[Operation]:
    """Every GET that a superuser may limit to a clinic (docs/design/domain.md, "Superusers and clinics")."""
    apart = ("/v1/auth/", "/v1/admin/")
    return [
        operation
        for operation in operations(app)
        if operation.method == "GET"
        and operation.path.startswith("/v1/")
        and not operation.path.startswith(apart)
        and RULES[operation.id].role is not None  # what anybody may ask is about nobody
    ]


def test_every_read_declares_clinic_id(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    for operation in of_clinics(app):
        declared = {(one["name"], one["in"]) for one in paths[operation.path]["get"].get("parameters", ())}
        assert ("clinic_id", "query") in declared, operation


async def test_every_read_takes_ones_own_clinic_id_and_no_other(
    app: FastAPI, sign_in: SignIn, own: Target, foreign: Target
) -> None:
    """A superuser's own is any that exists; of a row in another one than they name they are told nothing either."""
    admin, superuser = await sign_in(own.clinic.admin), await sign_in("superuser")
    for operation in of_clinics(app):
        rule = RULES[operation.id]
        allowed = [admin] if rule.role is not Role.SUPERUSER else []
        for client in (*allowed, superuser):
            answer = await operation.request(client, rule, own, clinic_id=own.clinic.id)
            assert answer.status_code == 200, (operation, answer.text)
            assert MARK not in answer.text.lower(), operation
        for client, elsewhere in (*((one, foreign.clinic.id) for one in allowed), (superuser, 2_000_000_000)):
            answer = await operation.request(client, rule, own, clinic_id=elsewhere)
            assert answer.status_code == 404, (operation, answer.text)
            assert answer.json()["code"] == "not_found"
