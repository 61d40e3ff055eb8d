"""A ticket as the documentation shows it."""

from typing import Any

TICKET: dict[str, Any] = {
    "id": "TH-SANT-2025-001",
    "clinic_id": 5,
    "revision": 2,
    "status": "active",
    "state": "scheduled",
    "warning_level": None,
    "seconds_left": 173400,
    "patient": {
        "id": 1,
        "document_type": "rut",
        "document": "12345678-5",
        "verified": True,
        "first_name": "Ana",
        "middle_name": None,
        "last_name": "Rojas",
        "second_last_name": None,
        "age": 40,
        "sex": "F",
    },
    "surgery": {"id": 3, "name": "Colecistectomía laparoscópica", "base_stay_hours": 24},
    "doctor": {"id": 7, "name": "Dra. Marta Soto"},
    "surgery_at": "2025-01-15T14:30:00-03:00",
    "admission_at": "2025-01-15T12:30:00-03:00",
    "system_fpa": "2025-01-16T13:00:00-03:00",
    "initial_fpa": "2025-01-16T13:00:00-03:00",
    "current_fpa": "2025-01-17T14:00:00-03:00",
    "block": {"start_hour": 12, "end_hour": 14, "label": "12:00 - 14:00"},
    "overnight_stays": 2,
    "initial_overnight_stays": 1,
    "bed_number": None,
    "location": None,
    "episode_id": None,
    "ready": None,
    "delays": [],
    "discharged_at": None,
    "discharge": None,
    "annulment": None,
    "created_at": "2025-01-15T10:02:11-03:00",
    "created_by": "clinical_sant",
    "modifications": [
        {
            "id": 1,
            "previous_fpa": "2025-01-16T13:00:00-03:00",
            "new_fpa": "2025-01-17T14:00:00-03:00",
            "reason": "Fiebre",
            "justification": None,
            "at": "2025-01-15T13:50:00-03:00",
            "by": "clinical_sant",
        }
    ],
    "history": [
        {
            "at": "2025-01-15T10:02:11-03:00",
            "by": "clinical_sant",
            "action": "ticket.created",
            "changes": {"patient_id": [None, 1], "surgery_id": [None, 3]},
        },
        {
            "at": "2025-01-15T13:50:00-03:00",
            "by": "clinical_sant",
            "action": "ticket.fpa_modified",
            "changes": {"current_fpa": ["2025-01-16T13:00:00-03:00", "2025-01-17T14:00:00-03:00"]},
        },
    ],
    "warnings": [],
}

SUMMARY: dict[str, Any] = {name: value for name, value in TICKET.items() if name not in ("history", "warnings")}
"""As lists show it."""
