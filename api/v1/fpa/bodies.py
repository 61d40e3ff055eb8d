"""What the FPA's preview takes."""

from pydantic import ConfigDict, Field

from api.requests.fields import Body, JsonId, SurgeryTime


class PreviewIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"surgery_id": 3, "surgery_at": "2025-01-15T14:30"}]})

    clinic_id: JsonId | None = Field(None, description="A superuser must name it; others' is their own.")
    surgery_id: JsonId
    surgery_at: SurgeryTime
