"""What a clinic's stays are made of, and the rows they become."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from core.operations.demo.catalog import SurgeryKind
from core.operations.demo.names import words

Row = tuple[object, ...]

TICKET_COLUMNS = words(
    "id clinic_id year number patient_id surgery_id doctor_id surgery_name surgery_base_hours surgery_at admission_at"
    " system_fpa initial_fpa current_fpa overnight_stays initial_overnight_stays bed_number location episode_id status"
    " ready_at ready_by discharged_at annulled_at annulled_by annulment_reason created_at created_by_id created_by"
    " revision"
)
MODIFICATION_COLUMNS = words(
    "clinic_id ticket_id previous_fpa new_fpa reason_id reason justification modified_at modified_by_id modified_by"
)
AUDIT_COLUMNS = words("at user_id username clinic_id action target_type target_id changes")


@dataclass(frozen=True, slots=True)
class Staff:
    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A surgery of the clinic, and who operates."""

    id: int
    kind: SurgeryKind
    doctor_ids: list[int]


@dataclass(frozen=True, slots=True)
class Ward:
    """What the stays of one clinic are made of."""

    clinic_id: int
    prefix: str
    local: ZoneInfo
    now: datetime
    offers: list[Offer]
    staff: tuple[Staff, ...]
    modification_reasons: list[tuple[int, str]]
    annulment_reasons: list[str]
    delay_reasons: list[tuple[int, str]]


@dataclass(slots=True)
class Batch:
    """Rows ready to be copied, in an order in which each finds what it points at."""

    patients: list[Row] = field(default_factory=list)
    tickets: list[Row] = field(default_factory=list)
    modifications: list[Row] = field(default_factory=list)
    delays: list[Row] = field(default_factory=list)
    audits: list[Row] = field(default_factory=list)
