"""What a superuser writes to catalogs. Of a change absent fields stay, and null clears where there may be none."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.requests.fields import Body, JsonId, number
from core.catalogs.change_thresholds import Hours
from core.clock import DEFAULT_ZONE
from core.rut import normal_rut


def checked_rut(text: str) -> str:
    normal = normal_rut(text)
    if normal is None:
        raise PydanticCustomError("invalid_rut", "This is no RUT, or its verifier digit is wrong")
    return normal


Flag = Annotated[bool, Field(strict=True)]
ClinicId = Annotated[JsonId, Field(description="Whose it is, for good.", examples=[5])]
ClinicName = Annotated[str, Field(min_length=1, max_length=120, examples=["Clínica RedSalud Santiago"])]
SpecialtyName = Annotated[str, Field(min_length=1, max_length=120, examples=["Traumatología"])]
SurgeryName = Annotated[str, Field(min_length=1, max_length=200, examples=["Artroscopía de rodilla"])]
DoctorName = Annotated[str, Field(min_length=1, max_length=200, examples=["Dra. Marcela Soto Vergara"])]
ReasonText = Annotated[str, Field(min_length=1, max_length=500, examples=["Dolor no controlado"])]
Category = Literal["modification", "annulment"]
"""`initial` is kept for imported data."""
# The bounds first: outside of the check they would not be told as JSON Schema's.
BaseHours = Annotated[int, Field(ge=1, le=2160, examples=[24]), BeforeValidator(number)]
Cutoff = Annotated[int, Field(ge=0, le=23, examples=[16]), BeforeValidator(number)]
ThresholdHours = Annotated[int, Field(ge=1, le=72), BeforeValidator(number)]
Rut = Annotated[
    str,
    Field(
        min_length=1,
        max_length=20,
        description="With or without dots; its verifier digit is checked.",
        examples=["12.345.678-5"],
    ),
    AfterValidator(checked_rut),
]
Timezone = Annotated[
    str,
    Field(
        min_length=1, max_length=64, description="IANA; the clinic's rules run in it.", examples=["America/Santiago"]
    ),
]


class Change(Body):
    """Fields that may not be null have no default in the contract: they are absent, or have a value."""

    def values(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class New(Body):
    def values(self) -> dict[str, Any]:
        return self.model_dump(exclude={"clinic_id"})


class ClinicIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Clínica RedSalud Ñuñoa"}]})

    name: ClinicName
    timezone: Timezone = DEFAULT_ZONE
    is_active: Flag = True


class ClinicChange(Change):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Clínica RedSalud Ñuñoa"}, {"is_active": False}]}
    )

    name: ClinicName = Field(default_factory=str)
    timezone: Timezone = Field(default_factory=str, description="Fixed once the clinic has tickets.")
    is_active: Flag = Field(default_factory=bool, description="False ends its users' sessions.")


class SpecialtyIn(New):
    model_config = ConfigDict(json_schema_extra={"examples": [{"clinic_id": 5, "name": "Traumatología"}]})

    clinic_id: ClinicId
    name: SpecialtyName
    is_active: Flag = True


class SpecialtyChange(Change):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Traumatología"}, {"is_active": False}]})

    name: SpecialtyName = Field(default_factory=str)
    is_active: Flag = Field(default_factory=bool)


class SurgeryIn(New):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"clinic_id": 5, "name": "Artroscopía de rodilla", "specialty_id": 2, "base_stay_hours": 24},
                {
                    "clinic_id": 5,
                    "name": "Extracción de catarata",
                    "specialty_id": 4,
                    "base_stay_hours": 6,
                    "is_ambulatory": True,
                    "ambulatory_cutoff_hour": 16,
                },
            ]
        }
    )

    clinic_id: ClinicId
    name: SurgeryName
    specialty_id: JsonId = Field(description="An active one of the clinic.", examples=[2])
    base_stay_hours: BaseHours = Field(description="Elapsed hours from admission to the FPA.")
    applies_ticket_home: Flag = True
    is_ambulatory: Flag = False
    ambulatory_cutoff_hour: Cutoff | None = None
    is_active: Flag = True


class SurgeryChange(Change):
    model_config = ConfigDict(json_schema_extra={"examples": [{"base_stay_hours": 36}, {"is_active": False}]})

    name: SurgeryName = Field(default_factory=str)
    specialty_id: JsonId = Field(default_factory=int, description="An active one of the clinic.", examples=[2])
    base_stay_hours: BaseHours = Field(default_factory=int, description="Of tickets made from now on.")
    applies_ticket_home: Flag = Field(default_factory=bool)
    is_ambulatory: Flag = Field(default_factory=bool)
    ambulatory_cutoff_hour: Cutoff | None = None
    is_active: Flag = Field(default_factory=bool)


class DoctorIn(New):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"clinic_id": 5, "name": "Dra. Marcela Soto Vergara", "specialty_id": 2, "rut": "12.345.678-5"}
            ]
        }
    )

    clinic_id: ClinicId
    name: DoctorName
    specialty_id: JsonId | None = Field(None, description="An active one of the clinic.", examples=[2])
    rut: Rut | None = None
    is_active: Flag = True


class DoctorChange(Change):
    model_config = ConfigDict(json_schema_extra={"examples": [{"specialty_id": None}, {"is_active": False}]})

    name: DoctorName = Field(default_factory=str)
    specialty_id: JsonId | None = Field(None, description="An active one of the clinic.", examples=[2])
    rut: Rut | None = None
    is_active: Flag = Field(default_factory=bool)


class ReasonIn(New):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"clinic_id": 5, "reason": "Dolor no controlado", "category": "modification"}]}
    )

    clinic_id: ClinicId
    reason: ReasonText
    category: Category = Field(description="`initial` is kept for imported data.")
    is_active: Flag = True


class ReasonChange(Change):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Dolor"}, {"is_active": False}]})

    reason: ReasonText = Field(default_factory=str)
    category: Category = Field(default_factory=lambda: "modification")
    is_active: Flag = Field(default_factory=bool)


class ThresholdsIn(Body):
    """Hours left to the FPA: `red_hours < yellow_hours < green_hours`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"red_hours": 1, "yellow_hours": 3, "green_hours": 6},
                {"clinic_id": None, "red_hours": 2, "yellow_hours": 4, "green_hours": 8},
            ]
        }
    )

    clinic_id: JsonId | None = Field(
        None, description="A superuser must name it, or null for the global ones; an admin's is its own.", examples=[5]
    )
    red_hours: ThresholdHours
    yellow_hours: ThresholdHours
    green_hours: ThresholdHours

    @property
    def hours(self) -> Hours:
        return Hours(self.red_hours, self.yellow_hours, self.green_hours)
