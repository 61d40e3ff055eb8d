"""What a list of clinics looks like to clients."""

from pydantic import Field

from core.answer_model import AnswerModel


class ClinicItem(AnswerModel):
    id: int = Field(examples=[5])
    name: str = Field(examples=["Clínica RedSalud Santiago"])
    prefix: str = Field(examples=["SANT"], description="Four letters; part of its tickets' ids.")
    timezone: str = Field(examples=["America/Santiago"], description="IANA; the clinic's rules run in it.")
    is_active: bool = Field(examples=[True])


class ClinicList(AnswerModel):
    items: list[ClinicItem]
