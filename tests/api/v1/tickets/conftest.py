"""A ward at work: who signs in, and tickets made through the API in the state that a test needs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from core.db import transaction
from core.db.failures import is_again, sqlstate
from tests.factories.fixtures import ClinicSeed, Seed

Json = dict[str, Any]
HOUR = timedelta(hours=1)
DEADLOCK = "40P01"

# Hours from now to the surgery; the surgery's stay is 24 hours.
SURGERY_IN = {"scheduled": 48, "normal": 1, "overdue": -72}


class Ward:
    """One user's requests in one clinic."""

    def __init__(self, client: httpx.AsyncClient, clinic: ClinicSeed) -> None:
        self.client = client
        self.clinic = clinic

    def new(self, **changes: Any) -> Json:
        """A body for POST /v1/tickets."""
        patient = {"document_type": "rut", "document": "12.345.678-5", "first_name": "Ana", "last_name": "Rojas"}
        soon = (datetime.now(UTC) + HOUR).isoformat()
        return {"patient": patient, "surgery_id": self.clinic.surgery_id, "surgery_at": soon} | changes

    async def create(self, state: str = "normal", **changes: Any) -> Json:
        at = (datetime.now(UTC) + SURGERY_IN[state] * HOUR).isoformat()
        answer = await self.post(self.new(surgery_at=at) | changes)
        assert answer.status_code == 201, answer.text
        ticket: Json = answer.json()
        assert ticket["state"] == state
        return ticket

    async def post(self, body: Json, key: str | None = None) -> httpx.Response:
        """POST /v1/tickets, by somebody who knows that it is another stay where the patient is here already."""
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await self.client.post("/v1/tickets", json=body, headers=headers)
        if answer.status_code == 409 and answer.json()["code"] == "already_admitted":
            body = body | {"second_stay": answer.json()["ticket_id"]}
            answer = await self.client.post("/v1/tickets", json=body, headers=headers)
        return answer

    async def get(self, ticket_id: str) -> Json:
        answer = await self.client.get(f"/v1/tickets/{ticket_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def send(self, method: str, ticket: Json, verb: str = "", body: Any = None) -> httpx.Response:
        """A write on the ticket as it was read."""
        path = f"/v1/tickets/{ticket['id']}" + (f"/{verb}" if verb else "")
        headers = {"If-Match": f'"{ticket["revision"]}"'}
        return await self.client.request(method, path, json=body, headers=headers)

    async def done(self, method: str, ticket: Json, verb: str = "", body: Any = None) -> Json:
        """Likewise, and it succeeded: the ticket after it."""
        answer = await self.send(method, ticket, verb, body)
        assert answer.status_code in (200, 201), answer.text
        after: Json = answer.json()
        assert answer.headers["ETag"] == f'"{after["revision"]}"'
        return after

    def modification(self, ticket: Json, *, hours: int = 24, **changes: Any) -> Json:
        """A body that moves the ticket's FPA by whole hours."""
        new = datetime.fromisoformat(ticket["current_fpa"]) + hours * HOUR
        reason = {"reason_id": self.clinic.modification_reason_id}
        return {"date": new.date().isoformat(), "block_end_hour": new.hour, **reason} | changes

    async def modify(self, ticket: Json, **options: Any) -> Json:
        return await self.done("POST", ticket, "fpa-modifications", self.modification(ticket, **options))

    async def discharge(self, ticket: Json) -> Json:
        return await self.done("POST", ticket, "discharge", {})

    async def annul(self, ticket: Json) -> Json:
        return await self.done("POST", ticket, "annulment", {"reason_id": self.clinic.annulment_reason_id})


def refusal(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, code, and which fields were refused for what."""
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, problem["code"], [(one["path"], one["code"]) for one in problem.get("errors", [])]


Refusal = Callable[[httpx.Response], tuple[int, str, list[tuple[str, str]]]]


@pytest.fixture(name="refusal")
def _refusal() -> Refusal:
    return refusal


@pytest.fixture
def deadlocks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those that happened meanwhile. The service ends them by running a write again, so nobody else sees them."""
    seen: list[str] = []

    def noting(error: BaseException) -> bool:
        if sqlstate(error) == DEADLOCK:
            seen.append(str(error))
        return is_again(error)

    monkeypatch.setattr(transaction, "is_again", noting)
    return seen


@pytest.fixture
async def nurse(sign_in: Callable[..., Awaitable[httpx.AsyncClient]], seed: Seed) -> Ward:
    return Ward(await sign_in(seed.sant.clinical), seed.sant)


@pytest.fixture
async def admin(sign_in: Callable[..., Awaitable[httpx.AsyncClient]], seed: Seed) -> Ward:
    return Ward(await sign_in(seed.sant.admin), seed.sant)


@pytest.fixture
async def foreign_admin(sign_in: Callable[..., Awaitable[httpx.AsyncClient]], seed: Seed) -> Ward:
    return Ward(await sign_in(seed.maga.admin), seed.maga)


@pytest.fixture
async def superuser(sign_in: Callable[..., Awaitable[httpx.AsyncClient]], seed: Seed) -> Ward:
    return Ward(await sign_in(seed.superuser), seed.sant)
