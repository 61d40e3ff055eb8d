"""What catalogs look like to clients. The cached bytes are made of these."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from core.answer_model import AnswerModel

Category = Literal["modification", "annulment", "delay", "initial"]
"""Those that may be asked for. What is told is a word: a client shows one that it does not know as such."""


class SpecialtyItem(AnswerModel):
    id: int = Field(examples=[2])
    clinic_id: int = Field(examples=[5])
    name: str = Field(examples=["Traumatología"])
    is_active: bool = Field(examples=[True])


class SurgeryItem(AnswerModel):
    id: int = Field(examples=[3])
    clinic_id: int = Field(examples=[5])
    name: str = Field(examples=["Artroscopía de rodilla"])
    specialty_id: int = Field(examples=[2])
    specialty_name: str = Field(examples=["Traumatología"], description="Also of a specialty that is not in use.")
    base_stay_hours: int = Field(examples=[24], description="Elapsed hours from admission to the FPA, 1–2160.")
    applies_ticket_home: bool = Field(examples=[True])
    is_ambulatory: bool = Field(examples=[False])
    ambulatory_cutoff_hour: int | None = Field(examples=[None], description="0–23, local.")
    is_active: bool = Field(examples=[True])


class DoctorItem(AnswerModel):
    id: int = Field(examples=[7])
    clinic_id: int = Field(examples=[5])
    name: str = Field(examples=["Dra. Marcela Soto Vergara"])
    specialty_id: int | None = Field(examples=[2])
    specialty_name: str | None = Field(
        examples=["Traumatología"], description="Also of a specialty that is not in use."
    )
    rut: str | None = Field(examples=["12345678-5"])
    is_active: bool = Field(examples=[True])


class ReasonItem(AnswerModel):
    id: int = Field(examples=[9])
    clinic_id: int = Field(examples=[5])
    reason: str = Field(examples=["Dolor no controlado"])
    category: str = Field(
        examples=["modification"],
        description="`modification`, `annulment`, `delay` (why a patient is still here), or `initial`, which is kept "
        "for imported data only. There may be others in future: show them as they are.",
    )
    is_active: bool = Field(examples=[True])


class ThresholdHours(AnswerModel):
    clinic_id: int | None = Field(examples=[5], description="null: the global ones.")
    red_hours: int = Field(examples=[2])
    yellow_hours: int = Field(examples=[4])
    green_hours: int = Field(examples=[8])
    inherited: bool = Field(examples=[True], description="Whether the clinic has none of its own: the global ones.")


class ThresholdItem(ThresholdHours):
    updated_at: datetime | None = Field(
        examples=["2026-03-02T09:15:00-03:00"],
        description="When those that hold were set, clinic-local; null where nobody has set them yet.",
    )
    updated_by: str | None = Field(examples=["admin_sant"])


class SpecialtyList(AnswerModel):
    items: list[SpecialtyItem]


class SurgeryList(AnswerModel):
    items: list[SurgeryItem]


class DoctorList(AnswerModel):
    items: list[DoctorItem]


class ReasonList(AnswerModel):
    items: list[ReasonItem]


class ThresholdList(AnswerModel):
    items: list[ThresholdItem]
