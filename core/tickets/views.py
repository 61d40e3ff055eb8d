"""What clients see of a ticket: times in the clinic's zone, its state at the moment of the answer."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from core.answer_model import AnswerModel
from core.tickets.fpa import Block
from core.tickets.models import Status
from core.tickets.state import State, WarningLevel

Local = Annotated[datetime, Field(examples=["2025-01-15T12:30:00-03:00"])]
"""Carries the clinic's offset at that moment."""


class PatientView(AnswerModel):
    id: int
    document_type: str = Field(examples=["rut"])
    document: str = Field(examples=["12345678-5"])
    verified: bool = Field(
        description="Whether the patient is found by it. False for what identifies nobody (`RN`, `SIN RUT`), and in "
        "imported data for a RUT whose verifier digit is wrong and for a second row of one document."
    )
    first_name: str = Field(examples=["Ana"])
    middle_name: str | None
    last_name: str = Field(examples=["Rojas"])
    second_last_name: str | None
    age: int | None = Field(examples=[40])
    sex: str | None = Field(examples=["F"])


class SurgeryView(AnswerModel):
    id: int | None = Field(description="Null in imported tickets whose surgery is unknown.")
    name: str = Field(description="As it was when the ticket was made or its surgery last changed.")
    base_stay_hours: int = Field(examples=[24])


class DoctorView(AnswerModel):
    id: int
    name: str


class BlockView(AnswerModel):
    """The two hours that end at the FPA."""

    start_hour: int = Field(examples=[11])
    end_hour: int = Field(examples=[13])
    label: str = Field(examples=["11:00 - 13:00"])

    @classmethod
    def of(cls, block: Block) -> "BlockView":
        return cls(start_hour=block.start_hour, end_hour=block.end_hour, label=block.label)


class DischargeBlockList(AnswerModel):
    items: list[BlockView]


class ModificationView(AnswerModel):
    id: int
    previous_fpa: Local
    new_fpa: Local
    reason: str
    justification: str | None
    at: Local
    by: str


class DischargeView(AnswerModel):
    at: Local
    recorded_at: Local | None = Field(description="When it was written; null where nobody wrote it down.")
    by: str | None = Field(description="Who wrote it.", examples=["clinical_sant"])
    assumed: bool = Field(
        description="Nobody saw it: an overdue ticket that was imported, or tidied up after days, counts as discharged "
        "at its FPA, and is left out of figures of punctuality."
    )


class ReadyView(AnswerModel):
    at: Local
    by: str = Field(examples=["clinical_sant"])


class DelayView(AnswerModel):
    """Open: it has not been ended, and the patient is here."""

    id: int
    reason: str = Field(examples=["Espera de traslado"], description="As it was when the delay was set.")
    note: str | None = Field(examples=["Ambulancia pedida a las 15:00"])
    at: Local = Field(description="Since when.")
    by: str = Field(examples=["clinical_sant"])


class AnnulmentView(AnswerModel):
    at: Local
    by: str | None = Field(description="Null in imported tickets that do not tell.", examples=["clinical_sant"])
    reason: str | None = Field(examples=["Error de ingreso"])


class HistoryEntry(AnswerModel):
    at: Local
    by: str
    action: str = Field(examples=["ticket.created"])
    changes: dict[str, list[Any]] = Field(
        description="Of each field: before and after.", examples=[{"bed_number": [None, "12B"]}]
    )


class TicketSummary(AnswerModel):
    """A ticket without its history."""

    id: str = Field(examples=["TH-SANT-2025-001"])
    clinic_id: int
    revision: int = Field(description="Rises with every change of the ticket or its patient; `ETag` and `If-Match`.")
    status: Status
    state: State
    warning_level: WarningLevel | None = Field(description="Null unless the state is `warning`.")
    seconds_left: int | None = Field(description="To the FPA; null unless active and not overdue.", examples=[90000])
    patient: PatientView | None = Field(description="Null only in imported tickets.")
    surgery: SurgeryView
    doctor: DoctorView | None
    surgery_at: Local
    admission_at: Local
    system_fpa: Local
    initial_fpa: Local
    current_fpa: Local
    block: BlockView
    overnight_stays: int
    initial_overnight_stays: int
    bed_number: str | None
    location: str | None
    episode_id: str | None
    ready: ReadyView | None = Field(description="Since when the criteria for discharge are met; null: they are not.")
    delays: list[DelayView] = Field(description="Why the patient is still here; none of who is not.")
    discharged_at: Local | None
    discharge: DischargeView | None = Field(description="Null unless discharged.")
    annulment: AnnulmentView | None = Field(description="Null unless annulled; a restored ticket's history tells it.")
    created_at: Local
    created_by: str
    modifications: list[ModificationView]


Total = Annotated[
    int | None,
    Field(
        description="Tickets on all pages together, exact up to 10,000; null but on the first page. Where a search "
        "among more than 5,000 tickets soon meets enough for a page, what it finds among so many of them."
    ),
]
TotalMore = Annotated[bool, Field(description="Whether there are more than `total`.")]


class TicketList(AnswerModel):
    items: list[TicketSummary]
    next: str | None
    total: Total
    total_more: TotalMore


class WarningView(AnswerModel):
    """What whoever wrote should look at; codes that a client does not know are to be shown as such."""

    code: str = Field(
        description="`name_differs`: a name was given in another way than it is on file, and stayed as it is there. "
        "`bed_taken`: another active ticket has the same bed.",
        examples=["name_differs"],
    )
    ticket_id: str | None = Field(description="Of another ticket that it is about.")


class TicketDetail(TicketSummary):
    """The whole ticket."""

    history: list[HistoryEntry]
    warnings: list[WarningView] = Field(description="Of the write that this answers; else none.")


class AssumedDischargeView(AnswerModel):
    id: str = Field(examples=["TH-SANT-2025-001"])
    outcome: str = Field(
        description="`discharged`; or, of several reasons the first, `not_found` (also another clinic's), "
        "`revision_mismatch`, `ticket_not_active`, `not_forgotten`.",
        examples=["discharged"],
    )
    revision: int | None = Field(description="As it is now; null where there is no such ticket.", examples=[3])


class AssumedDischargeList(AnswerModel):
    items: list[AssumedDischargeView] = Field(description="In the order of the request.")


class FpaPreview(AnswerModel):
    """What creating a ticket would calculate."""

    surgery_id: int
    surgery_at: Local
    admission_at: Local
    fpa: Local
    overnight_stays: int
    block: BlockView
