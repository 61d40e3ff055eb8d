"""What an integrator writes with the generated client: sign in, read the dashboard, create a ticket, handle problems.

test_python_client.py has it type-checked and run in the generator's environment; it prints what it saw as JSON.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ticket_home_client import AuthenticatedClient, Client
from ticket_home_client.api.auth import auth_login
from ticket_home_client.api.catalogs import surgeries_list
from ticket_home_client.api.dashboard import dashboard_get
from ticket_home_client.api.tickets import tickets_create, tickets_patch
from ticket_home_client.models import (
    Dashboard,
    LoginIn,
    LoginOut,
    PatientIn,
    PlacementIn,
    Problem,
    SurgeryList,
    TicketDetail,
    TicketIn,
)
from ticket_home_client.types import Response

T = TypeVar("T")


def answered(kind: type[T], answer: Response[T | Problem] | Response[object]) -> T:
    """The body of a call's answer. Raises for a problem, with the code that says what it is."""
    if isinstance(answer.parsed, Problem):
        raise RuntimeError(f"{answer.parsed.code}: {answer.parsed.detail}")
    if not isinstance(answer.parsed, kind):
        raise TypeError(f"{answer.status_code}: {answer.parsed!r}")
    return answer.parsed


def refused(answer: Response[TicketDetail | Problem] | Response[LoginOut | Problem]) -> Problem:
    """The problem that a call is refused with. Fails where the call succeeds."""
    if not isinstance(answer.parsed, Problem):
        raise TypeError(f"it was not refused: {answer.status_code}")
    return answer.parsed


def main(url: str) -> dict[str, object]:
    anybody = Client(base_url=url)
    guess = auth_login.sync_detailed(client=anybody, body=LoginIn("a guess", "admin_sant", "mobile"))
    right = LoginIn(username="admin_sant", password="ticket-home-demo", client="mobile")
    login = answered(LoginOut, auth_login.sync_detailed(client=anybody, body=right))
    api = AuthenticatedClient(base_url=url, token=str(login.token))

    before = answered(Dashboard, dashboard_get.sync_detailed(client=api))
    surgery = answered(SurgeryList, surgeries_list.sync_detailed(client=api)).items[0]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="minutes")
    patient = PatientIn(document_type="rut", document="12.345.678-5", first_name="Ana", last_name="Rojas")
    stay = TicketIn(patient=patient, surgery_id=surgery.id, surgery_at=tomorrow)
    created = tickets_create.sync_detailed(client=api, body=stay, idempotency_key="python-1")
    ticket = answered(TicketDetail, created)

    # The dashboard is cached: sent with it, the write's own version gives an answer that knows of the write.
    knowing = api.with_headers({"Cache-Version": created.headers["Cache-Version"]})
    after = answered(Dashboard, dashboard_get.sync_detailed(client=knowing))

    nowhere = TicketIn(patient=patient, surgery_id=2147483647, surgery_at=tomorrow)
    invalid = refused(tickets_create.sync_detailed(client=api, body=nowhere))

    etag = created.headers["ETag"]
    bed = PlacementIn(bed_number="12B")
    moved = answered(TicketDetail, tickets_patch.sync_detailed(ticket.id, client=api, body=bed, if_match=etag))
    bed = PlacementIn(bed_number="14A")
    late = refused(tickets_patch.sync_detailed(ticket.id, client=api, body=bed, if_match=etag))

    return {
        "guess": [guess.status_code, refused(guess).code],
        "user": login.user.username,
        "tickets": [before.kpis.total, after.kpis.total],
        "ticket": ticket.id,
        "invalid": [invalid.status, invalid.code, *([error.path, error.code] for error in invalid.errors or [])],
        "moved": [moved.bed_number, moved.revision],
        "late": [late.status, late.code, late.current["bed_number"] if late.current else None],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
