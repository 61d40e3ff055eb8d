"""What is sent of clinics and thresholds; of catalogs: row_bodies.py."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from api.requests.fields import Body, JsonId, number
from core.catalogs.change_thresholds import Hours
from core.clock import DEFAULT_ZONE

Flag = Annotated[bool, Field(strict=True)]
ClinicName = Annotated[str, Field(min_length=1, max_length=120, examples=["Clínica RedSalud Santiago"])]
ThresholdHours = Annotated[int, Field(ge=1, le=72), BeforeValidator(number)]
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
