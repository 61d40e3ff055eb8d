"""The dashboard's answer. Times carry the clinic's offset; the network's are those of America/Santiago."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from core.answer_model import AnswerModel

EXAMPLE: dict[str, Any] = {
    "clinic_id": 5,
    "generated_at": "2026-11-24T10:15:30-03:00",
    "valid_until": "2026-11-24T11:00:00-03:00",
    "kpis": {
        "active": 31,
        "overdue": 4,
        "discharged": 812,
        "annulled": 23,
        "total": 870,
        "created_today": 6,
        "created_this_week": 17,
        "created_this_month": 214,
        "near_deadline": 12,
        "discharged_today": 5,
        "on_time_rate": 0.8719,
        "mean_delay_minutes": 14.6,
    },
    "flow": {
        "early_discharge_rate": 0.3125,
        "ready_waiting": 3,
        "mean_ready_wait_minutes": 96.4,
        "long_stay": 2,
        "stay_ratio": 1.08,
        "delays": [
            {"clinic_id": 5, "reason_id": 31, "reason": "Espera de laboratorio", "tickets": 2, "hours_lost": 41.5}
        ],
    },
    "top_surgeries": [{"clinic_id": 5, "surgery_id": 1, "name": "Colecistectomía laparoscópica", "tickets": 120}],
    "doctors_by_modifications": [{"clinic_id": 5, "doctor_id": 1, "name": "Dra. Paula Soto", "modifications": 41}],
    "modifications": {"total": 380, "tickets": 290, "per_ticket": 0.44},
    "by_hour": [{"hour": "2026-11-24T10:00:00-03:00", "discharges": 1}],
    "recent_tickets": [
        {
            "id": "TH-SANT-2026-870",
            "clinic_id": 5,
            "surgery_name": "Colecistectomía laparoscópica",
            "status": "active",
            "current_fpa": "2026-11-25T13:00:00-03:00",
            "created_at": "2026-11-24T10:02:11-03:00",
            "created_by": "clinical_sant",
        }
    ],
}


class Kpis(AnswerModel):
    active: int = Field(description="Active, its FPA to come.")
    overdue: int = Field(description="Active, its FPA passed.")
    discharged: int
    annulled: int
    total: int
    created_today: int
    created_this_week: int = Field(description="From Monday.")
    created_this_month: int
    near_deadline: int = Field(description="Active, its FPA within 24 hours.")
    discharged_today: int
    on_time_rate: float | None = Field(
        description="Discharged no later than the end of the FPA's block ÷ discharged, four decimals; null if none."
    )
    mean_delay_minutes: float | None = Field(description="Discharge − FPA, one decimal; null if none.")


class DelayCount(AnswerModel):
    clinic_id: int
    reason_id: int
    reason: str
    tickets: int = Field(description="Active ones that it holds up now.")
    hours_lost: float = Field(
        description="By those discharged in the last 30 days: whole minutes of each delay, as hours, one decimal."
    )


class Flow(AnswerModel):
    """How patients leave: of the last 30 local days by the date of discharge, and of those who are here now. Assumed
    discharges are left out."""

    early_discharge_rate: float | None = Field(
        description="Discharged before 12:00 local ÷ discharged, four decimals; null if none."
    )
    ready_waiting: int = Field(description="Ready, and still here.")
    mean_ready_wait_minutes: float | None = Field(description="Discharge − ready, one decimal; null if none.")
    long_stay: int = Field(description="Active, beyond twice the surgery's base hours since admission.")
    stay_ratio: float | None = Field(
        description="Mean of stay ÷ the surgery's base hours, each in whole thousandths, two decimals; null if none."
    )
    delays: list[DelayCount] = Field(description="Ten at most: by hours lost, then tickets, then name.")


class SurgeryCount(AnswerModel):
    clinic_id: int
    surgery_id: int
    name: str
    tickets: int


class DoctorCount(AnswerModel):
    clinic_id: int
    doctor_id: int
    name: str
    modifications: int


class Modifications(AnswerModel):
    total: int
    tickets: int = Field(description="With at least one.")
    per_ticket: float = Field(description="total ÷ tickets in scope, two decimals; 0 if none.")


class Hour(AnswerModel):
    hour: datetime = Field(description="Its first instant.")
    discharges: int = Field(description="Active tickets whose FPA lies in it.")


class RecentTicket(AnswerModel):
    id: str
    clinic_id: int
    surgery_name: str
    status: str
    current_fpa: datetime
    created_at: datetime
    created_by: str


class Dashboard(AnswerModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    clinic_id: int | None = Field(description="Null: the network.")
    generated_at: datetime
    valid_until: datetime = Field(description="Until then the clock alone changes no figure.")
    kpis: Kpis
    flow: Flow
    top_surgeries: list[SurgeryCount] = Field(description="Five at most.")
    doctors_by_modifications: list[DoctorCount] = Field(description="Ten at most.")
    modifications: Modifications
    by_hour: list[Hour] = Field(description="48 hours from the current one.")
    recent_tickets: list[RecentTicket] = Field(description="The newest eight, without patient data.")
