"""Who may call what, and what belongs to a clinic in it: one rule per operation of the contract."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from core.access import Role
from core.catalogs.catalogs import CATALOGS, Catalog
from tests.factories.fixtures import ClinicSeed
from tests.factories.rows import written
from tests.support.days import lately


class Reach(Enum):
    """How a request could reach into another clinic."""

    NOWHERE = auto()
    """The caller's own session, or nothing of a clinic."""
    QUERY = auto()
    """`clinic_id` in the query."""
    PATH = auto()
    """The id of a row in the path."""
    BODY = auto()
    """`clinic_id` in the body."""


@dataclass(frozen=True)
class Target:
    """A clinic's rows that paths and bodies may name."""

    clinic: ClinicSeed
    ticket_id: str
    delay_id: int
    user_id: int
    session_id: int


@dataclass(frozen=True)
class Rule:
    role: Role | None
    """The least that may; None: everybody, signed in or not."""
    reach: Reach = Reach.NOWHERE
    body: Callable[[Target], dict[str, Any] | None] = field(default=lambda _: None)
    path: Callable[[Target], dict[str, object]] = field(default=lambda _: {})
    file: bytes | None = None
    """Where the body is one, and no JSON."""
    ends_session: bool = False
    """Of the caller."""
    headers: dict[str, str] = field(default_factory=dict)
    to_strangers: int = 200
    """What it answers who is not signed in, where everybody may ask."""

    def sent(self, target: Target, **headers: str) -> dict[str, Any]:
        """The body and the headers, as httpx takes them."""
        if self.file is None:
            return {"json": self.body(target), "headers": self.headers | headers}
        return {"content": self.file, "headers": self.headers | {"Content-Type": "text/csv"} | headers}


V, C, A, S = Role.VIEWER, Role.CLINICAL, Role.ADMIN, Role.SUPERUSER

PATIENT = {"document_type": "passport", "document": "X1234567", "first_name": "Eva", "last_name": "Soto"}


def of_ticket(role: Role, body: Callable[[Target], dict[str, Any] | None] = lambda _: None) -> Rule:
    return Rule(role, Reach.PATH, body, lambda target: {"ticket_id": target.ticket_id}, headers={"If-Match": '"1"'})


def of_user(body: Callable[[Target], dict[str, Any] | None] = lambda _: None) -> Rule:
    return Rule(A, Reach.PATH, body, lambda target: {"user_id": target.user_id})


def of_catalog(catalog: Catalog) -> dict[str, Rule]:
    """Everybody reads a catalog, a superuser keeps it."""
    title = catalog.columns[0].name

    def new(target: Target) -> dict[str, Any]:
        required = [column for column in catalog.columns if column.required]
        values = {column.field: written(column, target.clinic.specialty_id, "New") for column in required}
        return {"clinic_id": target.clinic.id, **values}

    def path(target: Target) -> dict[str, object]:
        return {f"{catalog.name}_id": target.clinic.catalogs[catalog.name]}

    return {
        f"{catalog.plural}List": read(V),
        f"{catalog.plural}Create": Rule(S, body=new),
        f"{catalog.plural}Change": Rule(S, body=lambda _: {title: "Other"}, path=path),
    }


def read(role: Role) -> Rule:
    return Rule(role, Reach.QUERY)


RULES: dict[str, Rule] = {
    "livez": Rule(None),
    "readyz": Rule(None),
    "metrics": Rule(None),
    "streamsProbe": Rule(None),
    "authLogin": Rule(None, body=lambda _: {"username": "nobody", "password": "x" * 12}, to_strangers=401),
    "authMethods": Rule(None),
    "authIap": Rule(None, to_strangers=404),
    "authDisplay": Rule(None, body=lambda _: {"code": "0000-0000-0000"}, to_strangers=401),
    "authLogout": Rule(V, ends_session=True),
    "authMe": Rule(V),
    "authSessionsList": Rule(V),
    "authSessionsEndOthers": Rule(V, ends_session=True),
    "authSessionsEnd": Rule(V, Reach.PATH, path=lambda target: {"session_id": target.session_id}),
    "authPasswordChange": Rule(
        V, body=lambda _: {"current_password": "wrong", "new_password": "marble otter quilts sunday tram"}
    ),
    "dashboardGet": read(A),
    "clinicsList": read(V),
    "urgencyThresholdsList": read(V),
    "dischargeBlocksList": read(V),
    "clinicsCreate": Rule(S, body=lambda _: {"name": "Clínica Nueva"}),
    "clinicsChange": Rule(S, body=lambda _: {"name": "Clínica Otra"}, path=lambda t: {"clinic_id": t.clinic.id}),
    "urgencyThresholdsPut": Rule(
        A, Reach.BODY, lambda t: {"clinic_id": t.clinic.id, "red_hours": 1, "yellow_hours": 2, "green_hours": 3}
    ),
    "urgencyThresholdsDelete": read(A),
    "importsCatalog": Rule(S, Reach.QUERY, file=b"name\r\nFrom a file\r\n"),
    "nursingBoardGet": read(V),
    "ticketsList": read(V),
    "eventsGet": read(V),
    "exportsTicketsXlsx": read(V),
    "exportsTicketsCsv": read(V),
    "exportsFull": Rule(S),
    "fpaPreview": Rule(
        C,
        Reach.BODY,
        lambda t: {"clinic_id": t.clinic.id, "surgery_id": t.clinic.surgery_id, "surgery_at": lately()},
    ),
    "patientsLookup": Rule(
        C,
        Reach.BODY,
        lambda t: {"clinic_id": t.clinic.id, "document_type": "passport", "document": PATIENT["document"]},
    ),
    "ticketsCreate": Rule(
        C,
        Reach.BODY,
        lambda t: {
            "clinic_id": t.clinic.id,
            "patient": PATIENT,
            "surgery_id": t.clinic.surgery_id,
            "surgery_at": lately(),
        },
    ),
    "ticketsGet": of_ticket(V),
    "ticketsPdf": of_ticket(V),
    "ticketsPatch": of_ticket(C, lambda _: {"bed_number": "12"}),
    "ticketsEdit": of_ticket(
        A,
        lambda t: {
            # Another document of the same name, as `target_in` has it.
            "patient": PATIENT | {"first_name": t.clinic.prefix.lower(), "last_name": "Rojas"},
            "surgery_id": t.clinic.surgery_id,
            "doctor_id": t.clinic.doctor_id,
        },
    ),
    "ticketsReassign": of_ticket(
        A, lambda t: {"patient": PATIENT | {"document": f"R{t.clinic.id}"}, "second_stay": None}
    ),
    "ticketsModifyFpa": of_ticket(
        C,
        lambda t: {"date": "2027-01-17", "block_end_hour": 14, "reason_id": t.clinic.modification_reason_id},
    ),
    "ticketsDischarge": of_ticket(C, lambda _: {"discharged_at": None}),
    "ticketsUndoDischarge": of_ticket(C),
    "ticketsReady": of_ticket(C, lambda _: {"ready_at": None}),
    "ticketsUndoReady": of_ticket(C),
    "ticketsDelay": of_ticket(C, lambda t: {"reason_id": t.clinic.delay_reason_id, "note": "Other"}),
    "ticketsEndDelay": replace(
        of_ticket(C), path=lambda target: {"ticket_id": target.ticket_id, "delay_id": target.delay_id}
    ),
    # A foreign ticket is `not_found` among its outcomes: tests/api/v1/tickets/flow/test_assumed_discharges.py.
    "ticketsAssumeDischarges": Rule(A, body=lambda t: {"tickets": [{"id": t.ticket_id, "revision": 1}]}),
    "ticketsAnnul": of_ticket(C, lambda t: {"reason_id": t.clinic.annulment_reason_id}),
    "ticketsRestore": of_ticket(A, lambda _: {"second_stay": None}),
    "usersList": read(A),
    "usersCreate": Rule(
        A,
        Reach.BODY,
        lambda t: {
            "clinic_id": t.clinic.id,
            "username": "newcomer",
            "email": "newcomer@example.org",
            "role": "viewer",
            "password": "marble otter quilts sunday tram",
        },
    ),
    "usersChange": of_user(lambda _: {"email": "other@example.org"}),
    "usersEndSessions": of_user(),
    "usersDisplaySession": of_user(),
    "auditLogins": read(A),
    "auditActions": read(A),
    "adminCacheGet": Rule(S),
    "adminCacheInvalidate": Rule(S, body=lambda t: {"clinic_id": t.clinic.id}),
    **{name: rule for catalog in CATALOGS for name, rule in of_catalog(catalog).items()},
}
