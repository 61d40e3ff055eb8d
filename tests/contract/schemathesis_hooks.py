"""What schemathesis has to be told to get past the door; loaded by its process, not by pytest.

Made-up ids meet 404 and 422 and nothing else. So requests that fit the contract name rows that are there, and the
revision that the ticket has, as clients do; those that do not fit it stay as they were made up.
"""

import atexit
import itertools
import json
import os
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import schemathesis

from core.catalogs.catalogs import CATALOGS
from core.clock import wall_now
from core.tickets.reads.figures import OF_REASONS

Case = schemathesis.Case[Any]

URL = os.environ["TICKET_HOME_URL"]
USER = os.environ["TICKET_HOME_USER"]
"""Who calls. Requests that end the caller's sessions or change its password come from the lenders instead."""
PASSWORD = "ticket-home-demo"
ASSERTION = "X-Goog-IAP-JWT-Assertion"
CLINIC = 5
"""SANT, of which the contract's examples speak too."""

OF_A_CLINIC = {
    f"/v1/{name}"
    for name in ("tickets", "fpa/preview", "patients/lookup", "users", *(catalog.plural for catalog in CATALOGS))
}
TEXTS = {"username", *(catalog.columns[0].name for catalog in CATALOGS)}
"""Of which a clinic may not have two alike."""
AFTER_ADMISSION = {"discharge", "ready", "delays"}
"""What is done to a ticket whose patient is there."""

CLINICS = ("iqui", "elqu", "valp", "prov", "vita", "ranc", "mayo", "maga")
LENDERS = [f"{role}_{clinic}" for role in ("viewer", "clinical", "admin") for clinic in CLINICS]
"""The last lends its account, until its password was changed or it was deactivated."""

client = httpx.Client(base_url=URL, timeout=20)
numbers = itertools.count(1)


def from_elsewhere() -> dict[str, str]:
    """Each sign-in comes from an address of its own, or all of them would soon be refused as guesses (429)."""
    number = next(numbers)
    return {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


def sign_in(username: str) -> httpx.Response:
    body = {"username": username, "password": PASSWORD, "client": "mobile"}
    return client.post("/v1/auth/login", json=body, headers=from_elsewhere())


def signed_in(username: str) -> dict[str, str]:
    answer = sign_in(username)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


MAIN = signed_in(USER)
WIDE = signed_in("superuser")
OWN_ID = str(client.get("/v1/auth/me", headers=MAIN).json()["user"]["id"])


def account_of(case: Case) -> str:
    return "lent" if case.path.startswith("/v1/auth/") else "main"


@schemathesis.auth(cache_by_key=lambda case, _: account_of(case))
class Session:
    """The token of the account that a request uses. schemathesis asks again after a 401."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> str:
        if account_of(case) == "main":
            return MAIN["Authorization"]
        while (answer := sign_in(LENDERS[-1])).status_code != 200:
            LENDERS.pop()
        return f"Bearer {answer.json()['token']}"

    def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = data


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    given = case.path_parameters
    if case.path == "/v1/auth/login":
        case.headers.update(from_elsewhere())
    if case.path == "/v1/auth/iap" and ASSERTION in case.headers:
        # Where it is missing, it was taken away on purpose.
        case.headers[ASSERTION] = os.environ["TICKET_HOME_ASSERTION"]
    # What the rest of the run stands on stays.
    if str(given.get("user_id")) == OWN_ID:
        given["user_id"] = int(OWN_ID) + 1
    if str(given.get("clinic_id")) == str(CLINIC) and case.method == "PATCH":
        given["clinic_id"] = CLINIC + 1
    if case.meta is not None and case.meta.generation.mode.is_positive:
        existing(case)


def existing(case: Case) -> None:
    given, body, number = case.path_parameters, case.body, next(numbers)
    fit_query(case.query)
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"key-{number}"
    if "session_id" in given:
        # The last is the caller's own.
        sessions = client.get("/v1/auth/sessions", headers={"Authorization": case.headers["Authorization"]})
        given["session_id"] = sessions.json()["items"][-1]["id"] if sessions.status_code == 200 else 1
    if "ticket_id" in given:
        ticket = fitting(case, number)
        given["ticket_id"] = ticket["id"]
        if "delay_id" in given and ticket["delays"]:
            given["delay_id"] = ticket["delays"][0]["id"]
        # Where it is missing, it was taken away on purpose.
        if "If-Match" in case.headers:
            case.headers["If-Match"] = f'"{ticket["revision"]}"'
    if case.path == "/v1/auth/display" and isinstance(body, dict):
        body["code"] = display_code()
    if isinstance(body, dict):
        fit(body, case.path, number, new=case.method == "POST")


def fitting(case: Case, number: int) -> dict[str, Any]:
    """A ticket in the state that the operation needs, where there is one."""
    undoes, verb = case.method == "DELETE", case.path.partition("{ticket_id}/")[2]
    status = {"restoration": "annulled", "discharge": "discharged" if undoes else "active"}.get(verb, "active")
    found = (rows("tickets", status=status) if case.method != "GET" else []) or rows("tickets")
    if verb in AFTER_ADMISSION and not undoes:
        found = [one for one in found if datetime.fromisoformat(one["admission_at"]) <= wall_now()] or found
    if verb == "ready":
        found = [one for one in found if (one["ready"] is not None) == undoes] or found
    elif undoes and verb.startswith("delays"):
        found = [one for one in found if one["delays"]] or found
    return found[number % len(found)]


def display_code() -> str:
    """A new one, of a viewer who is in use."""
    users = rows("users", role="viewer", is_active="true")
    answer = client.post(f"/v1/users/{users[0]['id']}/display-sessions", headers=WIDE)
    return str(answer.json()["code"])


def fit_query(query: dict[str, Any]) -> None:
    for catalog in CATALOGS:
        if query.get(f"{catalog.name}_id") is not None:
            query[f"{catalog.name}_id"] = rows(catalog.plural)[0]["id"]
    if query.get("clinic_id") is not None:
        query["clinic_id"] = CLINIC
    if query.get("figure") != "hour":
        query.pop("at", None)
    if query.get("figure") not in OF_REASONS:
        query.pop("reason_id", None)
    elif query.get("reason_id") is not None:
        query["reason_id"] = rows("reasons", category="delay")[0]["id"]


def fit(body: dict[str, Any], path: str, number: int, *, new: bool) -> None:
    for catalog in CATALOGS:
        if body.get(f"{catalog.name}_id") is not None:
            body[f"{catalog.name}_id"] = rows(catalog.plural)[0]["id"]
    if "reason_id" in body:
        category = {"annulment": "annulment", "delays": "delay"}.get(path.rpartition("/")[2], "modification")
        body["reason_id"] = rows("reasons", category=category)[0]["id"]
    if body.get("surgery_at") is not None:
        body["surgery_at"] = f"{wall_now() + timedelta(hours=number % 48):%Y-%m-%dT%H:%MZ}"
    for name in ("discharged_at", "ready_at"):
        if body.get(name) is not None:
            body[name] = wall_now().isoformat()
    if "block_end_hour" in body:
        body |= {"date": str(wall_now().date() + timedelta(days=number % 60 + 3)), "block_end_hour": 14}
    if new and path in OF_A_CLINIC:
        body["clinic_id"] = None if body.get("role") == "superuser" else CLINIC
        body |= {name: f"{str(body[name])[:20]}{number}" for name in TEXTS if name in body}
    if new and "email" in body:
        body |= {"email": f"{number}@example.org", "password": "four words of my own"}


def rows(catalog: str, **query: str) -> list[dict[str, Any]]:
    """The items of a list, of the clinic CLINIC."""
    answer = client.get(f"/v1/{catalog}", params={"clinic_id": CLINIC, **query}, headers=WIDE)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


ANSWERED: defaultdict[str, Counter[int]] = defaultdict(Counter)
"""How often each operation answered which status."""


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Case, response: schemathesis.Response) -> None:
    ANSWERED[case.operation.definition.raw["operationId"]][response.status_code] += 1


atexit.register(lambda: Path(os.environ["TICKET_HOME_ANSWERED"]).write_text(json.dumps(ANSWERED)))
