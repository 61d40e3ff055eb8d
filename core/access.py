"""Who acts, and on which clinics: every core function that touches rows takes one of these."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, true

from core.errors import Invalid, NotFound


class Role(StrEnum):
    """Ordered by what they may do; see domain.md, "Who uses it"."""

    VIEWER = "viewer"
    CLINICAL = "clinical"
    ADMIN = "admin"
    SUPERUSER = "superuser"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class ClinicScope:
    """The one helper that limits rows to a clinic. `clinic_id` None is the network, which only a superuser has."""

    clinic_id: int | None

    def rows(self, column: Any) -> ColumnElement[bool]:
        """SQL condition for `column`, a table's clinic_id: `select(Ticket).where(scope.rows(Ticket.clinic_id))`."""
        return true() if self.clinic_id is None else column == self.clinic_id


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user and the request they made."""

    user_id: int
    username: str
    email: str
    role: Role
    clinic_id: int | None
    """None for a superuser."""
    session_id: int
    client: str
    """web, mobile or display"""
    ip: str | None = None
    request_id: str | None = None

    @property
    def scope(self) -> ClinicScope:
        """Everything this user may touch."""
        return ClinicScope(self.clinic_id)

    def narrowed(self, clinic_id: int | None) -> ClinicScope:
        """This user's scope, limited to the clinic they asked for. Raises NotFound for a foreign one."""
        if self.clinic_id is not None and clinic_id not in (None, self.clinic_id):
            raise NotFound
        return ClinicScope(self.clinic_id if clinic_id is None else clinic_id)

    def writing_in(self, clinic_id: int | None) -> int:
        """The clinic of a write that makes a row: the user's own, or the one that a superuser names in the body.

        Raises NotFound for a foreign one, and Invalid where a superuser names none.
        """
        chosen = self.narrowed(clinic_id).clinic_id
        if chosen is None:
            raise Invalid.field("clinic_id", "required", "Say which clinic.")
        return chosen
