"""What ticket routes take. What they answer is core/tickets/views.py."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.requests.fields import Body, Date, JsonId, JsonInt, SurgeryTime, Time
from api.v1.patients.bodies import PATIENT, PatientEditIn, PatientIn, PatientPatchIn
from core.patients.patients import Correction
from core.tickets.verbs.assume_discharges import MOST, Read
from core.tickets.verbs.create import NewTicket
from core.tickets.verbs.delays import NewDelay
from core.tickets.verbs.edit import Edit
from core.tickets.verbs.modify_fpa import Modification

Bed = Annotated[str, Field(min_length=1, max_length=10, examples=["12B"])]
Location = Annotated[str, Field(min_length=1, max_length=50, examples=["Piso 3"])]
Episode = Annotated[str, Field(min_length=1, max_length=50, examples=["E-204517"])]
TICKET_ID = r"^TH-[A-Z0-9]{1,8}-[0-9]{4}-[0-9]{3,9}$"

SecondStay = Annotated[
    str,
    Field(
        max_length=30,
        pattern=TICKET_ID,
        description="The ticket that `already_admitted` showed: this is another stay of that patient.",
        examples=["TH-SANT-2025-001"],
    ),
]


PLACEMENT = {"bed_number", "location", "episode_id"}


class PlacementIn(Body):
    """Absent fields stay, null clears."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"bed_number": "12B", "location": "Piso 3", "patient": {"age": 41}}]}
    )

    bed_number: Bed | None = None
    location: Location | None = None
    episode_id: Episode | None = None
    patient: PatientPatchIn = Field(default_factory=PatientPatchIn)
    second_stay: SecondStay | None = None

    def values(self) -> dict[str, str | None]:
        return self.model_dump(include=PLACEMENT, exclude_unset=True)

    def correction(self) -> Correction | None:
        return self.patient.correction() if "patient" in self.model_fields_set else None


class TicketIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patient": PATIENT,
                    "surgery_id": 3,
                    "doctor_id": None,
                    "surgery_at": "2025-01-15T14:30",
                    "bed_number": None,
                    "location": None,
                    "episode_id": None,
                }
            ]
        }
    )

    clinic_id: JsonId | None = Field(None, description="A superuser must name it; others' is their own.")
    patient: PatientIn
    surgery_id: JsonId
    doctor_id: JsonId | None = None
    surgery_at: SurgeryTime
    bed_number: Bed | None = None
    location: Location | None = None
    episode_id: Episode | None = None
    second_stay: SecondStay | None = None

    def new(self) -> NewTicket:
        return NewTicket(
            patient=self.patient.given(),
            surgery_id=self.surgery_id,
            doctor_id=self.doctor_id,
            surgery_at=self.surgery_at,
            placement=self.model_dump(include=PLACEMENT),
            second_stay=self.second_stay,
        )


class ModificationIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"date": "2025-01-17", "block_end_hour": 14, "reason_id": 9, "justification": "Fiebre postoperatoria"}
            ]
        }
    )

    date: Date = Field(description="Clinic-local date on which the new block ends.")
    block_end_hour: JsonInt = Field(
        ge=0, le=23, description="Local hour at which it ends; 0 is the midnight that begins the date."
    )
    reason_id: JsonId = Field(description="An active reason of category `modification`.")
    justification: Annotated[str, Field(min_length=1, max_length=1000)] | None = None

    def asked(self) -> Modification:
        return Modification(self.date, self.block_end_hour, self.reason_id, self.justification)


class DischargeIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"discharged_at": "2025-01-16T12:10"}]})

    discharged_at: Time | None = Field(
        None,
        description="Now, unless given; not before admission, not in the future, but for a clock that is up to five "
        "minutes fast.",
    )


class ReadyIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"ready_at": "2025-01-16T11:40"}]})

    ready_at: Time | None = Field(
        None,
        description="Now, unless given; not before admission, not in the future, but for a clock that is up to five "
        "minutes fast.",
    )


class DelayIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason_id": 15, "note": "Ambulancia pedida a las 15:00"}]}
    )

    reason_id: JsonId = Field(description="An active reason of category `delay`.")
    note: Annotated[str, Field(min_length=1, max_length=1000)] | None = None

    def asked(self) -> NewDelay:
        return NewDelay(self.reason_id, self.note)


class ReadTicketIn(Body):
    """A ticket, and the revision of it that was read."""

    id: Annotated[str, Field(max_length=30, pattern=TICKET_ID, examples=["TH-SANT-2025-001"])]
    revision: JsonId = Field(examples=[2])


class AssumedDischargesIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"tickets": [{"id": "TH-SANT-2025-001", "revision": 2}]}]}
    )

    tickets: list[ReadTicketIn] = Field(min_length=1, max_length=MOST)

    def asked(self) -> list[Read]:
        return [Read(one.id, one.revision) for one in self.tickets]


class AnnulmentIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason_id": 12}]})

    reason_id: JsonId = Field(description="An active reason of category `annulment`.")


class RestorationIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"second_stay": None}]})

    second_stay: SecondStay | None = None


class TicketEditIn(Body):
    """Replaces patient data, surgery and doctor; the surgery's time stays where it is absent or null."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"patient": PATIENT, "surgery_id": 3, "doctor_id": 7, "surgery_at": "2025-01-15T14:30"}]
        }
    )

    patient: PatientEditIn
    surgery_id: JsonId
    doctor_id: JsonId | None = None
    surgery_at: SurgeryTime | None = None
    second_stay: SecondStay | None = None

    def asked(self) -> Edit:
        return Edit(self.patient.given(), self.surgery_id, self.doctor_id, self.surgery_at, self.second_stay)


class ReassignmentIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"patient": PATIENT, "second_stay": None}]})

    patient: PatientIn
    second_stay: SecondStay | None = None
