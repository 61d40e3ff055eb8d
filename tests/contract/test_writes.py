"""Every write of the contract: audited in the clinic acted on, traceless where refused, replayed by its key."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.access import Role
from core.catalogs.catalogs import CATALOGS
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.audit import audits
from tests.support.contract.operations import Operation, operations, target_in
from tests.support.contract.rules import RULES, Reach, Target

OF_CATALOGS = {
    f"{catalog.plural}{operation}": f"{catalog.name}.{action}"
    for catalog in CATALOGS
    for operation, action in (("Create", "created"), ("Change", "changed"))
}
ACTIONS = OF_CATALOGS | {
    "authLogout": "session.ended",
    "authSessionsEnd": "session.ended",
    "authSessionsEndOthers": "session.ended",
    "authPasswordChange": "user.password_changed",
    "clinicsCreate": "clinic.created",
    "clinicsChange": "clinic.changed",
    "specialtiesCreate": "specialty.created",
    "specialtiesChange": "specialty.changed",
    "surgeriesCreate": "surgery.created",
    "surgeriesChange": "surgery.changed",
    "doctorsCreate": "doctor.created",
    "doctorsChange": "doctor.changed",
    "reasonsCreate": "reason.created",
    "reasonsChange": "reason.changed",
    "urgencyThresholdsPut": "thresholds.changed",
    "urgencyThresholdsDelete": "thresholds.removed",
    "importsCatalog": "specialty.created",
    "patientsLookup": "patient.looked_up",
    "ticketsCreate": "ticket.created",
    "ticketsPatch": "ticket.placed",
    "ticketsEdit": "ticket.edited",
    "ticketsReassign": "ticket.reassigned",
    "ticketsModifyFpa": "ticket.fpa_modified",
    "ticketsDischarge": "ticket.discharged",
    "ticketsAssumeDischarges": "ticket.discharged",
    "ticketsUndoDischarge": "ticket.discharge_undone",
    "ticketsReady": "ticket.ready",
    "ticketsUndoReady": "ticket.ready_undone",
    "ticketsDelay": "ticket.delayed",
    "ticketsEndDelay": "ticket.delay_ended",
    "ticketsAnnul": "ticket.annulled",
    "ticketsRestore": "ticket.restored",
    "usersCreate": "user.created",
    "usersChange": "user.changed",
    "usersEndSessions": "user.sessions_ended",
    "usersDisplaySession": "user.display_code_made",
    "adminCacheInvalidate": "cache.invalidated",
}
UNAUDITED = {"authLogin", "authIap", "authDisplay", "fpaPreview"}
"""Signing in has an audit of its own, and the last writes nothing."""
STATUS = {"ticketsUndoDischarge": "discharged", "ticketsRestore": "annulled"}
OWN_PASSWORD = {"current_password": rows.PASSWORD, "new_password": "marble otter quilts sunday tram"}


def writes(app: FastAPI) -> list[Operation]:
    return [operation for operation in operations(app) if operation.method != "GET"]


@pytest.fixture
async def own(connection: rows.Connection, seed: Seed) -> Target:
    return await target_in(connection, seed.sant)


async def ready(connection: rows.Connection, operation: Operation, target: Target) -> None:
    """Put the rows into the state that the operation needs, whatever was done before it."""
    status = STATUS.get(operation.id, "active")
    await connection.execute(
        "UPDATE ticket SET revision = 1, status = $2::text, bed_number = NULL, doctor_id = NULL,"
        " discharged_at = CASE $2::text WHEN 'discharged' THEN now() END,"
        " annulled_at = CASE $2::text WHEN 'annulled' THEN now() END,"
        " ready_at = CASE WHEN $3 THEN now() END, ready_by = CASE WHEN $3 THEN 'x' END WHERE id = $1",
        target.ticket_id, status, operation.id == "ticketsUndoReady",
    )  # fmt: skip
    await connection.execute("DELETE FROM delay WHERE reason_id = $1", target.clinic.delay_reason_id)
    await connection.execute("UPDATE delay SET ended_at = NULL, ended_by = NULL WHERE id = $1", target.delay_id)
    if operation.id == "ticketsAssumeDischarges":
        await connection.execute(
            "UPDATE ticket SET admission_at = now() - interval '9 days', current_fpa = now() - interval '8 days'"
            " WHERE id = $1",
            target.ticket_id,
        )
    await connection.execute("UPDATE patient SET document = 'P' || id WHERE document_type = 'passport'")
    await connection.execute("DELETE FROM urgency_threshold WHERE clinic_id = $1", target.clinic.id)
    if operation.id == "urgencyThresholdsDelete":
        await rows.insert(
            connection, "urgency_threshold", clinic_id=target.clinic.id, red_hours=5, yellow_hours=6, green_hours=7
        )


async def done(client: httpx.AsyncClient, operation: Operation, target: Target, **headers: str) -> httpx.Response:
    rule = RULES[operation.id]
    sent = rule.sent(target, **headers)
    if operation.id == "authPasswordChange":
        sent["json"] = OWN_PASSWORD
    query: dict[str, Any] = {"clinic_id": target.clinic.id} if rule.reach is Reach.QUERY else {}
    path = operation.path.format(**rule.path(target))
    answer = await client.request(operation.method, path, params=query, **sent)
    assert answer.is_success, (operation, answer.text)
    return answer


def test_every_write_has_an_action(app: FastAPI) -> None:
    assert {operation.id for operation in writes(app)} == set(ACTIONS) | UNAUDITED


async def test_every_write_is_audited_in_the_clinic_acted_on(
    app: FastAPI, sign_in: SignIn, own: Target, seed: Seed, connection: rows.Connection
) -> None:
    superuser = await sign_in(seed.superuser)
    for operation in writes(app):
        if operation.id in UNAUDITED:
            continue
        await ready(connection, operation, own)
        client, name, target = superuser, seed.superuser, own
        if operation.id.startswith("auth"):
            # One session to end, and one to end it from; the new password is the old one's again.
            await connection.execute(
                "UPDATE app_user SET password_hash = $2 WHERE id = $1", own.user_id, rows.password_hash()
            )
            name = seed.sant.viewer
            await sign_in(name)
            newest = "SELECT max(id) FROM user_session WHERE user_id = $1"
            target = replace(own, session_id=await connection.fetchval(newest, own.user_id))
            client = await sign_in(name)
        before = len(await audits(connection))
        answer = await done(client, operation, target)
        found = [one for one in (await audits(connection))[before:] if one["action"] == ACTIONS[operation.id]]
        assert found, operation
        clinic_id = answer.json()["id"] if operation.id == "clinicsCreate" else own.clinic.id
        assert {(one["clinic_id"], one["username"]) for one in found} == {(clinic_id, name)}, operation


async def test_a_refused_write_leaves_no_trace(
    app: FastAPI, sign_in: SignIn, own: Target, seed: Seed, connection: rows.Connection
) -> None:
    superuser, foreign, viewer = [await sign_in(n) for n in (seed.superuser, seed.maga.admin, seed.sant.viewer)]
    refused = 0
    for operation in writes(app):
        rule = RULES[operation.id]
        if rule.role is None:
            continue
        await ready(connection, operation, own)
        path, before = operation.path.format(**rule.path(own)), await audits(connection)
        answers = [(await superuser.request(operation.method, path, json={"colour": "red"}), 415 if rule.file else 422)]
        if rule.role is not Role.VIEWER:
            answers.append((await operation.request(viewer, rule, own), 403))
        if rule.reach is not Reach.NOWHERE and rule.role is not Role.SUPERUSER:
            query = {"clinic_id": own.clinic.id} if rule.reach is Reach.QUERY else {}
            answers.append((await operation.request(foreign, rule, own, **query), 404))
        if rule.headers:
            old = await superuser.request(operation.method, path, json=rule.body(own), headers={"If-Match": '"99"'})
            answers.append((old, 412))
        for answer, status in answers:
            assert answer.status_code == status, (operation, answer.text)
        assert await audits(connection) == before, operation
        refused += len(answers)
    assert refused > 60


async def test_every_post_is_replayed_by_its_key(
    app: FastAPI, sign_in: SignIn, own: Target, seed: Seed, connection: rows.Connection
) -> None:
    superuser = await sign_in(seed.superuser)
    posts = [one for one in writes(app) if one.method == "POST" and not one.id.startswith("auth")]
    assert len(posts) > 10
    for operation in posts:
        await ready(connection, operation, own)
        first = await done(superuser, operation, own, **{"Idempotency-Key": "a-key"})
        before = await audits(connection)
        again = await done(superuser, operation, own, **{"Idempotency-Key": "a-key"})
        assert again.headers["idempotency-replayed"] == "true", operation
        assert (again.status_code, again.content) == (first.status_code, first.content), operation
        for name in ("Location", "ETag"):
            assert again.headers.get(name) == first.headers.get(name), operation
        assert await audits(connection) == before, operation
