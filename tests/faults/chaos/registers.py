"""Registers: places of the database that hold one word, which an answer of the service shows.

A word is written once and never again, except SIGNED_OUT. One writer at a time writes a register, so its states have an
order, and a read that shows a word shows between which moments it can have been true.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.clock import wall_now
from tests.factories import rows

FIRST = "Dr. W0"
"""Every register's word at first."""
SIGNED_OUT = "signed out"
"""What a session shows whose user may not sign in any more."""
ABSENT = "absent"
"""What is shown where the row is not there: in the middle of a restore, table by table."""
RENAME = "UPDATE {table} SET {column} = $1 WHERE id = $2"


@dataclass(frozen=True)
class Register:
    name: str
    path: str
    """Its GET shows the word."""
    bearer: str
    """What one who reads it sends as `Authorization`."""
    item: int | str
    """The id of its row."""
    shown: Callable[[Any, "Register"], str]
    """The word, in an answer's body."""
    table: str
    column: str = "name"
    patched: str = ""
    """Where the service takes a new word by PATCH; empty: only SQL writes it."""
    ends: str = ""
    """A statement after which SIGNED_OUT is shown; empty: there is none."""
    first: str = FIRST
    is_network: bool = False
    """A superuser's GET of the same path shows it among those of all clinics."""
    clinic: int = 0
    topics: tuple[str, ...] = ()
    """Of event streams: whose changes may change what it shows; none where no stream tells of it."""

    def shows(self, clinic_id: int, topic: str) -> bool:
        """Whether a change of that topic may change it. Clinic 0 is the network."""
        return topic in self.topics and clinic_id in (0, self.clinic)

    @property
    def renames(self) -> str:
        """SQL, of a word and the row's id."""
        return RENAME.format(table=self.table, column=self.column)


def in_items(body: Any, register: Register) -> str:
    return next((str(item[register.column]) for item in body["items"] if item["id"] == register.item), ABSENT)


def in_top_surgeries(body: Any, register: Register) -> str:
    return next((str(one["name"]) for one in body["top_surgeries"] if one["surgery_id"] == register.item), ABSENT)


def in_session(body: Any, _: Register) -> str:
    return str(body["user"]["email"])


@dataclass(frozen=True)
class Made:
    """A clinic's rows that are registers."""

    clinic: int
    prefix: str
    reader: str
    """Usernames: of one who reads, and of one whose session is a register itself."""
    watched: str
    doctor: int
    specialty: int
    surgery: int
    ticket: str
    user: int


async def make(connection: rows.Connection, prefix: str, *, is_first: bool) -> Made:
    """The first one's surgery has a ticket more than the others', or the network's dashboard might not show it."""
    clinic = await rows.clinic(connection, prefix)
    reader, watched = f"viewer_{prefix.lower()}", f"watched_{prefix.lower()}"
    await rows.user(connection, reader, "viewer", clinic)
    user = await rows.user(connection, watched, "viewer", clinic, email=first_email(prefix))
    specialty = await rows.specialty(connection, clinic, name=FIRST)
    surgery = await rows.surgery(connection, clinic, specialty, name=FIRST)
    ticket = await rows.ticket(
        connection, clinic, await rows.patient(connection, clinic), surgery, location=FIRST, created_at=wall_now()
    )
    if is_first:
        await rows.ticket(connection, clinic, await rows.patient(connection, clinic), surgery, created_at=wall_now())
    doctor = await rows.doctor(connection, clinic, name=FIRST)
    return Made(clinic, prefix, reader, watched, doctor, specialty, surgery, ticket, user)


def first_email(prefix: str) -> str:
    return f"{FIRST} {prefix}"


def doctors(made: Made, bearer: str) -> Register:
    return Register(
        *(f"doctor {made.doctor}", "/v1/doctors", bearer, made.doctor, in_items, "doctor"),
        patched=f"/v1/doctors/{made.doctor}",
        is_network=True,
        clinic=made.clinic,
        topics=("catalogs",),
    )


def others(made: Made, reader: str, watched: str, superuser: str) -> Sequence[Register]:
    """Of a clinic, beside its doctors: a catalog, its board, a session, and the network's dashboard."""
    specialty = Register(
        *(f"specialty {made.specialty}", "/v1/specialties", reader, made.specialty, in_items, "specialty"),
        patched=f"/v1/specialties/{made.specialty}",
        clinic=made.clinic,
        topics=("catalogs",),
    )
    dashboard = Register(
        *(f"dashboard, surgery {made.surgery}", "/v1/dashboard", superuser, made.surgery, in_top_surgeries, "surgery"),
        patched=f"/v1/surgeries/{made.surgery}",
        clinic=made.clinic,
        topics=("figures", "catalogs"),
    )
    board = Register(
        *(f"board, ticket {made.ticket}", "/v1/nursing-board?view=all", reader, made.ticket, in_items, "ticket"),
        column="location",
        clinic=made.clinic,
        topics=("tickets", "catalogs"),
    )
    session = Session(
        *(f"session of user {made.user}", "/v1/auth/me", watched, made.user, in_session, "app_user"),
        column="email",
        first=first_email(made.prefix),
        ends="UPDATE app_user SET is_active = false WHERE id = $1",
    )
    return specialty, dashboard, board, session


class Session(Register):
    @property
    def renames(self) -> str:
        """Whoever is given a new word may sign in again."""
        return "UPDATE app_user SET email = $1, is_active = true WHERE id = $2"
